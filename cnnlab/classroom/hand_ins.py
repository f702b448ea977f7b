"""Runs handed in for an assignment: a frozen copy each, and what the board needs to know of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from cnnlab.classroom.folder import class_folder, is_assignment
from cnnlab.evaluation.metrics import Booleans
from cnnlab.files import atomic_write, bytes_below, exclusive, read_limited
from cnnlab.people.belonging import belonging_of
from cnnlab.people.identity import PERSON_ID
from cnnlab.runs.store import DELETED
from cnnlab.training.config import RUN_ID

MAX_BYTES = 2_000_000  # of a file: 500 drawings' fingerprints and 1,000,000 test images
MAX_IMAGES = 4_000_000

RunId = Annotated[str, Field(pattern=f"^{RUN_ID.pattern}$")]
Fraction = Annotated[float, Field(ge=0, le=1)]


class HandIn(BaseModel):
    """A run that somebody handed in."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run: RunId  # the frozen copy
    source: RunId  # what it is a copy of
    epoch: Annotated[int, Field(ge=0)]  # whose weights were tested
    person: Annotated[str, Field(pattern=f"^{PERSON_ID}$")]
    at: AwareDatetime
    validation_accuracy: Fraction
    epochs: Annotated[int, Field(ge=0)]
    parameters: Annotated[int, Field(ge=0)]
    looks: Annotated[int, Field(ge=0)] = 0  # at the test images, with all runs of that person until then
    right: Annotated[str, Field(pattern="^[0-9a-f]*$")]  # a bit for each test image: whether it was answered right
    images: Annotated[int, Field(ge=1, le=MAX_IMAGES)]
    taught: Annotated[tuple[str, ...], Field(max_length=5_000)] = ()  # fingerprints of drawings it was trained on

    @model_validator(mode="after")
    def _answers_each_image(self) -> HandIn:
        if len(self.right) != 2 * -(-self.images // 8):  # hexadecimal digits of whole bytes
            raise ValueError("not as many answers as images")
        return self

    @property
    def hits(self) -> Booleans:
        """Tell which test images it answers right: (N,)."""
        bits = np.unpackbits(np.frombuffer(bytes.fromhex(self.right), np.uint8))
        hits: Booleans = bits[: self.images].astype(np.bool_)
        return hits


def as_bits(hits: Booleans) -> str:
    """Return answers (N,) as ``HandIn.right`` holds them."""
    return np.packbits(hits).tobytes().hex()


class HandIns:
    """What was handed in, a file each in a folder of its assignment."""

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._folder = class_folder(runs) / "handed-in"

    def of(self, assignment: str) -> list[HandIn]:
        """Return what was handed in for an assignment, the earliest first; copies that were deleted do not count.

        A copy is nobody's: a run of somebody that has its id was imported after the copy was deleted.
        """
        if not is_assignment(assignment):
            return []
        found = [_read(path) for path in (self._folder / assignment).glob("*.json")]
        there = [one for one in found if one and self._has_copy(one.run)]
        return sorted(there, key=lambda one: one.at)

    def add(self, assignment: str, hand_in: HandIn, a_day: int) -> bool:
        """Add it, unless that person has handed in ``a_day`` today or the same before; return whether it was added.

        Raises OSError.
        """
        folder = self._folder / assignment
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(folder):
            own = [one for one in self.of(assignment) if one.person == hand_in.person]
            if count_today(own, hand_in.at) >= a_day or is_known(own, hand_in.source, hand_in.epoch):
                return False
            atomic_write(folder / f"{hand_in.run}.json", hand_in.model_dump_json())
        return True

    def disk_bytes(self, person: str) -> int:
        """Return the bytes of somebody's copies that none of the runs holds that they are copies of.

        Copies share weights with their runs; of runs that are gone or were trained on, they hold them alone.
        """
        own = [(run, source) for run, source, whose in map(_brief, self._folder.glob("*/*.json")) if whose == person]
        sources = {source for _, source in own}
        runs = [folder / source for source in sources for folder in (self._runs, self._runs / DELETED)]
        return bytes_below(*runs, *(self._runs / run for run, _ in own if self._has_copy(run))) - bytes_below(*runs)

    def _has_copy(self, run: str) -> bool:
        copy = self._runs / run
        return copy.is_dir() and not belonging_of(copy).owner


def is_known(own: Sequence[HandIn], run: str, epoch: int) -> bool:
    """Check whether the weights of a run after ``epoch`` are among what somebody handed in."""
    return any((one.source, one.epoch) == (run, epoch) for one in own)


def count_today(hand_ins: Sequence[HandIn], now: datetime) -> int:
    """Count those of the day of ``now``, in the server's time zone."""
    today = now.astimezone().date()
    return sum(one.at.astimezone().date() == today for one in hand_ins)


@lru_cache(maxsize=10_000)  # a term's: quotas ask often, and what was handed in never changes
def _brief(path: Path) -> tuple[str, str, str]:
    """Return a copy, the run it is of, and who handed it in; nothing of a file that is damaged."""
    found = _read(path)
    return (found.run, found.source, found.person) if found else ("", "", "")


def _read(path: Path) -> HandIn | None:
    with suppress(OSError, ValidationError):
        return HandIn.model_validate_json(read_limited(path, MAX_BYTES))
    return None
