"""Bad inputs of every kind, through the doors that users take: each must be refused, clearly, soon and cheaply."""

from __future__ import annotations

import re
import shutil
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from os import environ
from pathlib import Path
from time import perf_counter

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from cnnlab.errors import CnnLabError
from tests.faults import (
    bad_archives,
    bad_commands,
    bad_configs,
    bad_drawings,
    bad_links,
    bad_photos,
    bad_pictures,
    bad_runs,
    bad_sweeps,
)
from tests.faults.ground import Case, Command, Ground, Refused

Kind = Callable[[Ground], SearchStrategy[Case]]
KINDS: tuple[Kind, ...] = (
    bad_archives.cases,
    bad_commands.cases,
    bad_configs.cases,
    bad_drawings.cases,
    bad_links.cases,
    bad_photos.cases,
    bad_pictures.cases,
    bad_runs.cases,
    bad_sweeps.cases,
)
REFUSALS = (CnnLabError, Refused)
LONGEST = 620  # characters
SECONDS, BYTES = 5.0, 1_000_000_000  # allowed for one

_FOREIGN = re.compile(r"Traceback|\w(Error|Exception)\(|<class |0x[0-9a-f]{8}")


@dataclass(frozen=True)
class Outcome:
    """What became of one bad input."""

    what: str
    wrong: str  # empty where it was refused in a clear line
    seconds: float
    memory: int  # bytes, the most that the process had beyond what it had before all of its kind


@dataclass(frozen=True)
class Findings:
    """What became of many."""

    outcomes: tuple[Outcome, ...]

    @property
    def refused(self) -> int:
        return sum(not outcome.wrong for outcome in self.outcomes)

    @property
    def slowest(self) -> Outcome:
        return max(self.outcomes, key=lambda outcome: outcome.seconds)

    @property
    def largest(self) -> Outcome:
        return max(self.outcomes, key=lambda outcome: outcome.memory)

    @property
    def offending(self) -> list[Outcome]:
        """Those that were taken, told badly, slow or large."""
        return [
            outcome for outcome in self.outcomes if outcome.wrong or outcome.seconds > SECONDS or outcome.memory > BYTES
        ]


def refused(
    count: int, folder: Path, start: int = 0, by_themselves: int = 0, kinds: Sequence[Kind] = KINDS
) -> Findings:
    """Hand in ``count`` bad inputs, as many of each kind, one after the other in a process of their own.

    Of each kind's commands the first ``by_themselves`` are run as processes too, to the same end.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_walk, count, folder, start, by_themselves, kinds).result()


def _walk(count: int, folder: Path, start: int, by_themselves: int, kinds: Sequence[Kind]) -> Findings:
    environ["CNNLAB_RUNS"] = str(folder / "runs")
    environ["CNNLAB_PICTURES"] = str(folder / "pictures")
    warnings.simplefilter("always")  # also those that were given once
    ground = Ground.prepared(folder)
    outcomes: list[Outcome] = []
    for place, kind in enumerate(kinds):
        share = count // len(kinds) + (place < count % len(kinds))
        outcomes += _of_one_kind(kind(ground), ground, share, start, by_themselves)
    return Findings(tuple(outcomes))


def _of_one_kind(
    cases: SearchStrategy[Case], ground: Ground, count: int, start: int, by_themselves: int
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    left, before = by_themselves, _memory("VmRSS")

    @seed(start)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def walk(case: Case) -> None:
        nonlocal left
        outcome = _tried(case, before)
        if left and isinstance(case.enter, Command) and not outcome.wrong:
            outcome = replace(outcome, wrong=_what_is_wrong(case.enter.by_itself))
            left -= 1
        outcomes.append(outcome)
        shutil.rmtree(ground.scratch, ignore_errors=True)

    if count:
        walk()
    return outcomes


def _tried(case: Case, before: int) -> Outcome:
    _forget_peak()
    began = perf_counter()
    wrong = _what_is_wrong(case.enter)
    return Outcome(case.what, wrong, perf_counter() - began, _memory("VmHWM") - before)


def _what_is_wrong(enter: Callable[[], object]) -> str:
    try:
        enter()
    except REFUSALS as error:
        message = str(error)
        is_clear = message.isprintable() and 0 < len(message) <= LONGEST and not _FOREIGN.search(message)
        return "" if is_clear else f"unclear: {message[:300]!r}"
    except Exception as error:
        return f"{type(error).__name__}: {error!s:.300}"
    return "taken"


def _forget_peak() -> None:
    """Linux then counts the largest memory from here on (man 5 proc_pid_clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def _memory(what: str) -> int:
    """Bytes resident now (VmRSS), or at the most (VmHWM)."""
    found = re.search(rf"{what}:\s*(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024
