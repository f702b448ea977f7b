"""Looks at test images with runs that are gone for good: a small file for each owner, so that deleting hides none."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from cnnlab.files import atomic_write, exclusive, read_limited
from cnnlab.people.identity import people_folder

MAX_BYTES = 1_000_000  # 10,000 data sets

_COUNTS = TypeAdapter(dict[str, Annotated[int, Field(ge=0)]])


class PastLooks:
    """How often people's runs that are gone had been evaluated on the test images of each data set."""

    def __init__(self, runs: Path) -> None:
        self._folder = people_folder(runs) / "looks"

    def of(self, owner: str, dataset: str) -> int:
        """Return the looks of somebody's runs on a data set."""
        return self._read(owner).get(dataset, 0)

    def add(self, owner: str, dataset: str, looks: int) -> None:
        """Add those of a run. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(self._folder):
            counts = self._read(owner)
            counts[dataset] = counts.get(dataset, 0) + looks
            atomic_write(self._path(owner), _COUNTS.dump_json(counts).decode())

    def _read(self, owner: str) -> dict[str, int]:
        with suppress(OSError, ValidationError):
            return _COUNTS.validate_json(read_limited(self._path(owner), MAX_BYTES))
        return {}

    def _path(self, owner: str) -> Path:
        return self._folder / f"{owner}.json"
