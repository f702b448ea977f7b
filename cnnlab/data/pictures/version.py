"""A version of a user's data set: what it holds, and the table of its pictures."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from io import StringIO
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open

from cnnlab.data.mapping import MappedRows
from cnnlab.data.splits import Split
from cnnlab.errors import CnnLabError, first_error
from cnnlab.files import read_limited

MAX_INFO = 1_000_000  # bytes of version.json, most of them names of classes
MAX_TABLE = 400_000_000  # bytes of pictures.csv: 200,000 of 2,000
SHORT = 8  # digits of a digest that name what a version holds
NAME = r"[a-z0-9][a-z0-9-]{0,39}"
Text = Annotated[str, Field(max_length=200)]
PixelsFile = Annotated[str, Field(pattern=r"^pixels-[0-9a-f]{16}\.safetensors$")]


class PictureSetError(CnnLabError):
    """A user's data set that is missing or damaged; the message says what to do."""


class Version(BaseModel):
    """What is known of a version before its pictures are read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=f"^{NAME}$")]
    number: Annotated[int, Field(ge=1, le=9_999)]
    title: Annotated[str, Field(min_length=1, max_length=80)]
    classes: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=80)], ...], Field(min_length=2, max_length=1000)
    ]
    channels: Literal[1, 3]
    size: Annotated[int, Field(ge=8, le=512)]  # pixels, the side of a square
    fit: Literal["crop", "pad", "squash"]
    train: Annotated[int, Field(ge=1)]  # pictures
    test: Annotated[int, Field(ge=1)]
    mean: tuple[float, ...]  # per channel of the training pictures, in 0…1
    std: tuple[float, ...]
    digest: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]  # of all that a network can see: pixels, labels, splits
    pixels: PixelsFile  # the file, beside the versions
    extends: tuple[PixelsFile, ...] = ()  # earlier files whose pixels it begins with
    is_drawn: bool = False  # characters or figures, light on dark: what the canvas can draw
    source: Text = ""
    change: Text = ""  # from the version before
    created: Text = ""  # ISO 8601

    @property
    def key(self) -> str:
        """Name the version and what it holds: ``name@number:digest``."""
        return f"{self.name}@{self.number}:{self.digest[:SHORT]}"

    def __str__(self) -> str:
        return f"{self.title} (version {self.number})"

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape (C, H, W) of an image."""
        return self.channels, self.size, self.size

    def shares_pixels(self, other: Version) -> bool:
        """Tell whether rows of one number, in this version and another, are the same picture."""
        return self.pixels in (other.pixels, *other.extends) or other.pixels in self.extends


@dataclass(frozen=True, slots=True)
class Row:
    """A picture of a version: a line of ``pictures.csv``."""

    path: str  # in what it was added from
    label: int
    split: str  # "train" or "test"
    row: int  # in the file of pixels
    group: int  # pictures of one group never lie on both sides of a split
    width: int  # of the original
    height: int
    digest: str  # of the file
    hash: int  # what it looks like
    preview: int  # where its preview begins in the file of previews, and its bytes; 0 bytes: the pixels show all
    preview_bytes: int
    note: str


_TYPES: dict[str, Any] = {field.name: {"int": int, "str": str}[str(field.type)] for field in fields(Row)}
COLUMNS = tuple(_TYPES)


@dataclass(frozen=True)
class Contents:
    """Tell what became of each file that was not used, with the reason."""

    refused: tuple[tuple[str, str], ...]
    ignored: tuple[tuple[str, str], ...]


def now() -> str:
    """Return the time for a version's ``created``."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def digest_of_bytes(content: bytes) -> str:
    """Hash a picture's bytes for its row."""
    return blake2b(content, digest_size=12).hexdigest()


def write_rows(rows: Iterable[Row]) -> str:
    """Write a table of pictures as CSV."""
    file = StringIO()
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(COLUMNS)
    lines.writerows(astuple(row) for row in rows)
    return file.getvalue()


def read_rows(text: str, version: Version) -> list[Row]:
    """Read a table of pictures. Raises PictureSetError where it is damaged or does not fit ``version``."""
    try:
        lines = csv.DictReader(StringIO(text), strict=True)
        rows = [Row(**{name: _TYPES[name](line[name]) for name in COLUMNS}) for line in lines]
    except (csv.Error, KeyError, ValueError, TypeError) as error:
        raise PictureSetError(f"the table of {version} is damaged: add its pictures again") from error
    counts = [sum(row.split == split for row in rows) for split in ("train", "test")]
    fits = all(0 <= row.label < len(version.classes) and row.row >= 0 and 0 <= row.hash < 2**64 for row in rows)
    if not fits or counts != [version.train, version.test] or len(rows) != sum(counts):
        raise PictureSetError(f"the table of {version} does not fit it: add its pictures again")
    return rows


def read_info(content: bytes, what: str) -> Version:
    """Read ``version.json``. Raises PictureSetError."""
    try:
        return Version.model_validate_json(content)
    except ValidationError as error:
        raise PictureSetError(f"{what} is damaged ({first_error(error)}): add its pictures again") from error


def digest_of(rows: Sequence[Row], classes: Sequence[str], pixels: str) -> str:
    """Hash all that a network can see of a version: its file of pixels, labels and splits."""
    digest = blake2b(digest_size=8)
    digest.update("\n".join((pixels, *classes)).encode())
    for row in rows:
        digest.update(f"\n{row.row} {row.label} {row.split} {row.group}".encode())
    return digest.hexdigest()


def map_pixels(path: Path, shape: tuple[int, int, int]) -> MappedRows:
    """Map a file of pixels (N, C, H, W) uint8 into memory; they are read from disk when they are looked at.

    Raises PictureSetError where the file is missing, damaged or of other images.
    """
    try:
        with safe_open(path, "pt") as file:  # which checks that the file is as long as its head says
            images = file.get_slice("images")
            found, is_bytes, is_alone = images.get_shape(), images.get_dtype() == "U8", len(file.keys()) == 1
        if is_bytes and is_alone and tuple(found[1:]) == shape:
            return MappedRows(path, torch.uint8, tuple(found), path.stat().st_size - prod(found))
    except (OSError, SafetensorError) as error:
        raise PictureSetError(
            f"the pixels of {path.parent.name} are missing or damaged: add its pictures again"
        ) from error
    raise PictureSetError(f"the pixels of {path.parent.name} are not of {'×'.join(map(str, shape))}: add them again")


@lru_cache(maxsize=4)
def rows_of(folder: Path, version: Version) -> tuple[Row, ...]:
    """Read the table of a version's pictures from its folder. Raises PictureSetError."""
    try:
        text = read_limited(folder / "pictures.csv", MAX_TABLE).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise PictureSetError(f"the table of {version} is missing or damaged: add its pictures again") from error
    return tuple(read_rows(text, version))


def split_of(rows: Sequence[Row], split: str, pixels: MappedRows) -> Split:
    """Select the pictures of a split from the pixels of all, without copying them."""
    chosen = [row for row in rows if row.split == split]
    at, labels, groups = (torch.tensor([getattr(row, name) for row in chosen]) for name in ("row", "label", "group"))
    return Split(pixels.rows, labels, at, groups, pixels)
