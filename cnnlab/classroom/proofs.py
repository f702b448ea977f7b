"""What the verification of handed-in runs found: a file each beside the board, so that it shows a badge."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from cnnlab.classroom.folder import class_folder
from cnnlab.errors import CnnLabError
from cnnlab.files import atomic_write, read_limited
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.verification.report import Outcome
from cnnlab.verification.verify import Verification, verify

MAX_BYTES = 10_000
MAX_REASON = 1_000  # characters
GONE = "a run that it comes from is gone"


class Proof(BaseModel):
    """The outcome of a verification."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    outcome: Outcome
    level: int
    reason: str = ""  # why it is not proved


@dataclass(frozen=True)
class Verifying:
    """How far the verification of several runs is."""

    done: float  # fraction of all
    run: str


class Proofs:
    """The outcomes, by run."""

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._folder = class_folder(runs) / "proofs"

    def get(self, run: str) -> Proof | None:
        """Return what was found of a run; None where it was not verified."""
        with suppress(OSError, ValidationError):
            return Proof.model_validate_json(read_limited(self._path(run), MAX_BYTES))
        return None

    def verify(self, runs: Sequence[str]) -> Generator[Verifying, None, None]:
        """Verify each of these runs, and keep what was found. Raises OSError where that cannot be written."""
        for number, run_id in enumerate(runs):
            proof = yield from _followed(Run(self._runs / run_id), number, len(runs))
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            atomic_write(self._path(run_id), proof.model_dump_json())
        yield Verifying(1.0, "")

    def _path(self, run: str) -> Path:
        return self._folder / f"{run}.json"


def _followed(run: Run, number: int, of: int) -> Generator[Verifying, None, Proof]:
    """Verify a run and those whose weights it began with, without which it proves little; the first failure decides."""
    lineage = [*RunStore(run.folder.parent).lineage(run)]
    proofs: list[Proof] = []
    for place, kin in enumerate(lineage):
        proof = yield from _verified(kin, run.id, (number + place / len(lineage)) / of, of * len(lineage))
        proofs.append(proof if kin is run else proof.model_copy(update={"reason": f"{kin.id}: {proof.reason}"}))
        if proof.outcome != "proved":
            return proofs[-1]
    if lineage[-1].config.comes_from:
        return proofs[0].model_copy(update={"outcome": "unproved", "reason": GONE})
    return proofs[0]


def _verified(run: Run, chosen: str, done: float, parts: int) -> Generator[Verifying, None, Proof]:
    """Verify one run, a part of the work, by its checkpoints where it keeps them, else by training all of it again."""
    level = 2 if run.checkpoints.are_kept else 1
    yield Verifying(done, chosen)
    try:
        work: Verification = verify(run, level)
        while True:
            try:
                step = next(work)
            except StopIteration as end:
                report = end.value
                break
            yield Verifying(done + min(step.done / max(step.of, 1), 1) / parts, chosen)
    except CnnLabError as error:
        return Proof(outcome="unproved", level=level, reason=str(error)[:MAX_REASON])
    reason = report.reason or str(report.difference or "")
    return Proof(outcome=report.outcome, level=level, reason=reason[:MAX_REASON])
