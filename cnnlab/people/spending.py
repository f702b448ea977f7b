"""What each member's trainings of the last 24 hours took: a small file each, so that deleting a run gives nothing back.

A training is written down with all the epochs that were asked for; once it has ended, with those that it had.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from cnnlab.files import atomic_write, exclusive, read_limited

DAY = timedelta(hours=24)
MOST = 4_000  # trainings of a person that are told apart
MAX_BYTES = 1_000_000  # 6,000 trainings
Count = Annotated[int, Field(ge=0)]


class Start(BaseModel):
    """A training that began."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    at: AwareDatetime
    work: str  # id of the run
    images: Count  # of an epoch
    epochs: Count  # asked for; of one that has ended, trained
    after: Count = 0  # epochs that it had before
    has_ended: bool = False

    @property
    def total(self) -> int:
        """The images of all its epochs."""
        return self.images * self.epochs


_STARTS = TypeAdapter(list[Start])


class Ledger:
    """The trainings that the people of a server began within a day; ``clock`` can be replaced in tests."""

    def __init__(self, folder: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._folder = folder
        self._clock = clock

    def note(self, person: str, work: str, images: int, epochs: int, after: int = 0) -> None:
        """Write down what somebody begins. Raises OSError."""
        begun = Start(at=self._clock(), work=work, images=images, epochs=epochs, after=after)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(self._folder):
            self._write(person, [*self._read(person), begun])

    def settled(self, person: str, epochs_of: Callable[[str], int | None]) -> list[Start]:
        """Return somebody's trainings of the last 24 hours, the oldest first.

        ``epochs_of`` returns the epochs that a run has, None while it trains.
        """
        before = self._read(person)
        ended = {one: _ended(one, epochs_of(one.work)) for one in before if not one.has_ended}
        if any(one != now for one, now in ended.items()):
            with suppress(OSError), exclusive(self._folder):  # else the next time
                self._write(person, [ended.get(one, one) for one in self._read(person)])
        return [now for one in before if (now := ended.get(one, one)).epochs]

    def renews_in(self, starts: list[Start]) -> float:
        """Return the seconds until the first of ``starts`` no longer counts; 0 where there is none."""
        return max(0.0, (starts[0].at + DAY - self._clock()).total_seconds()) if starts else 0.0

    def _read(self, person: str) -> list[Start]:
        with suppress(OSError, ValidationError):
            starts = _STARTS.validate_json(read_limited(self._path(person), MAX_BYTES))
            return [one for one in starts if one.at > self._clock() - DAY]
        return []

    def _write(self, person: str, starts: list[Start]) -> None:
        counted = _bounded([one for one in starts if one.epochs])
        atomic_write(self._path(person), _STARTS.dump_json(counted).decode())

    def _path(self, person: str) -> Path:
        return self._folder / f"{person}.json"


def _bounded(starts: list[Start]) -> list[Start]:
    """Return ``starts``, the oldest first; of too many, the earlier half of the ended ones as one, as of its last."""
    ended = [one for one in starts if one.has_ended]
    early = ended[: len(ended) // 2]
    if len(starts) <= MOST or not early:
        return starts
    images = sum(one.total for one in early)
    joined, known = early[-1].model_copy(update={"images": images, "epochs": 1}), {*early}
    return sorted([joined, *(one for one in starts if one not in known)], key=attrgetter("at"))


def _ended(start: Start, epochs: int | None) -> Start:
    """Return ``start`` with the epochs that it came to; as it is while it trains."""
    if epochs is None:
        return start
    trained = min(max(0, epochs - start.after), start.epochs)
    return start.model_copy(update={"epochs": trained, "has_ended": True})
