"""The engine against typical tutorials, side by side in one process: python -m cnnlab bench.

Every figure is a median over rounds, and each round runs every side, so that a machine that slows down affects all. A
ratio above 1 means that ours is faster. All sides share threads and memory settings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnlab.bench import answering, augmenting, busy, loop, races, watched
from cnnlab.bench.machine import machine
from cnnlab.bench.rounds import FULL, QUICK, Report, Rows, Say, Terms
from cnnlab.training.device import keep_freed_memory


@dataclass(frozen=True)
class Section:
    """A part of the benchmark: what it measures, and its lines of the table."""

    measure: Callable[[Terms, Say], Report]
    rows: Callable[[Report], Rows]


SECTIONS: dict[str, Section] = {
    "loop": Section(loop.measure, loop.rows),
    "time_to_accuracy": Section(races.measure, races.rows),
    "busy": Section(busy.measure, busy.rows),
    "augmentation": Section(augmenting.measure, augmenting.rows),
    "live": Section(watched.measure, watched.rows),
    "inference": Section(answering.measure, answering.rows),
}


def measure(
    quick: bool,
    folder: Path | None = None,
    say: Say = print,
    precision: str = "auto",
    sections: Sequence[str] = (),
) -> Report:
    """Run the ``sections`` of the benchmark, by default all, our trainings in ``precision``; ``say`` tells of each.

    Raises DatasetError where MNIST or Fashion-MNIST can neither be read nor downloaded.
    """
    terms = Terms(QUICK if quick else FULL, folder, precision)
    keep_freed_memory()
    report: Report = {"machine": machine(precision)}
    for name in sections or SECTIONS:
        report[name] = SECTIONS[name].measure(terms, say)
    return report


def table(report: Report) -> str:
    """Return the report as lines of text."""
    head = [f"{name}: {value}" for name, value in report["machine"].items()]
    rows = [row for name, section in SECTIONS.items() if name in report for row in section.rows(report[name])]
    return "\n".join([*head, *(f"{name:36}{first:>18}{second:>18}" for name, first, second in rows)])
