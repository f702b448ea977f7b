"""The folder of a user's data sets: their versions listed, read, removed and restored.

``NAME/version-1/version.json`` tells what a version holds, ``pictures.csv`` beside it lists its pictures, and
``report.csv`` what was not used; ``NAME/pixels-….safetensors``, and with them ``features-….safetensors`` and
``previews-….bin``, are shared by versions.
"""

from __future__ import annotations

import csv
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from io import StringIO
from pathlib import Path
from shutil import rmtree

from torch import Tensor

from cnnlab.data.mapping import MappedRows
from cnnlab.data.pictures.features import Halves
from cnnlab.data.pictures.version import (
    MAX_INFO,
    MAX_TABLE,
    NAME,
    SHORT,
    Contents,
    PictureSetError,
    Row,
    Version,
    map_pixels,
    read_info,
    rows_of,
    write_rows,
)
from cnnlab.data.pictures.writing import read_features
from cnnlab.files import DELETED_ARE_KEPT, atomic_write, bytes_below, exclusive, is_older, read_limited
from cnnlab.people.belonging import Belonging, belonging_of, give, show

STALE = timedelta(days=1)  # nobody adds pictures for so long
_ADDING = ".adding-"
_REMOVED = ".removed"
_VERSION = re.compile(r"version-([1-9]\d{0,3})")
_KEY = re.compile(rf"(?P<name>{NAME})(@(?P<number>\d{{1,4}})(:(?P<digest>[0-9a-f]{{{SHORT}}}))?)?")
_REMOVED_KEY = re.compile(rf"{NAME}@\d{{8}}-\d{{6}}-\d{{6}}")


class Library:
    """A folder of data sets. Pages and commands share it; a version never changes once it is there.

    With an ``owner``, new data sets are theirs, and only theirs can be changed.
    """

    def __init__(self, folder: Path, owner: str = "") -> None:
        self.folder = folder
        self.owner = owner

    def names(self) -> list[str]:
        """List the data sets that have a version, sorted."""
        try:
            names = [path.name for path in self.folder.iterdir() if re.fullmatch(NAME, path.name)]
        except OSError:
            return []
        return sorted(name for name in names if self.numbers(name))

    def belonging(self, name: str) -> Belonging:
        """Read whose a data set is, and whether the class may see it."""
        return belonging_of(self.folder / name)

    def is_ours(self, name: str) -> bool:
        """Tell whether a data set of this name can be changed or made."""
        return not self.numbers(name) or self._may_change(self.folder / name)

    def check_ours(self, name: str) -> None:
        """Raise PictureSetError where a data set of this name is somebody else's."""
        if not self.is_ours(name):
            raise PictureSetError(f"the data set {name[:60]!r} belongs to somebody else: choose another name for yours")

    def show(self, name: str, is_shown: bool) -> None:
        """Show a data set to the class, or hide it again. Raises PictureSetError where it is somebody else's."""
        self.check_ours(name)
        show(self.folder / name, is_shown)

    def numbers(self, name: str) -> list[int]:
        """List the versions of a data set, ascending."""
        if not re.fullmatch(NAME, name):
            return []
        try:
            found = [_VERSION.fullmatch(path.name) for path in (self.folder / name).iterdir()]
        except OSError:
            return []
        return sorted(int(match[1]) for match in found if match)

    def version(self, key: str) -> Version:
        """Read what a version holds: of ``name@number:digest``, ``name@number``, or the latest of ``name``.

        Pictures that came from another machine may have another number here: the digest finds them. Raises
        PictureSetError where the version is missing, damaged or holds other pictures than the digest says.
        """
        match = _KEY.fullmatch(key)
        name, _, asked = key.partition("@")
        numbers = self.numbers(name)
        if not numbers:
            raise PictureSetError(f"there is no data set {key[:60]!r} here: add its pictures")
        if not match:
            raise _no_version(name, asked, numbers)
        number, digest = int(match["number"] or numbers[-1]), match["digest"] or ""
        if number in numbers and (version := _info(self._path(match["name"], number))).digest.startswith(digest):
            return version
        alike = [one for one in self.versions(match["name"]) if digest and one.digest.startswith(digest)]
        if alike:
            return alike[0]
        if number in numbers:
            raise PictureSetError(f"{match['name']} version {number} holds other pictures here than those asked for")
        raise _no_version(name, str(number), numbers)

    def versions(self, name: str) -> list[Version]:
        """Read all versions of a data set that are whole, the latest first."""
        found = []
        for number in reversed(self.numbers(name)):
            with suppress(PictureSetError):
                found.append(self.version(f"{name}@{number}"))
        return found

    def rows(self, version: Version) -> tuple[Row, ...]:
        """Read the table of a version's pictures. Raises PictureSetError."""
        return rows_of(self._path(version.name, version.number), version)

    def mapped(self, version: Version) -> MappedRows:
        """Map the pixels of a version: all that its rows count in. Raises PictureSetError."""
        return map_pixels(self.folder / version.name / version.pixels, version.shape)

    def pixels(self, version: Version) -> Tensor:
        """Return the pixels of a version (N, C, H, W), read from disk when looked at. Raises as ``mapped``."""
        return self.mapped(version).rows

    def features(self, version: Version) -> Halves:
        """Read what describes each picture (N, F) of a version's file of pixels. Raises PictureSetError."""
        return read_features(self.folder / version.name / features_name(version.pixels))

    def preview(self, version: Version, row: Row) -> bytes:
        """Read the preview of an original as JPEG; empty where its pixels show all of it. Raises OSError."""
        if not row.preview_bytes:
            return b""
        with (self.folder / version.name / previews_name(version.pixels)).open("rb") as file:
            file.seek(row.preview)
            return file.read(row.preview_bytes)

    def contents(self, version: Version) -> Contents:
        """Read which files were refused or ignored. Raises PictureSetError."""
        path = self._path(version.name, version.number) / "report.csv"
        try:
            return read_report(read_limited(path, MAX_TABLE).decode())
        except (OSError, ValueError, csv.Error) as error:
            raise PictureSetError(f"the report of {version.key} is missing or damaged") from error

    @contextmanager
    def aside(self) -> Iterator[Path]:
        """Yield a folder to prepare a version in; whatever is left in it is deleted. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for old in self.folder.glob(f"{_ADDING}*"):
            with suppress(OSError):
                if is_older(old, STALE):
                    rmtree(old, ignore_errors=True)
        folder = self.folder / f"{_ADDING}{secrets.token_hex(8)}"
        folder.mkdir()
        try:
            yield folder
        finally:
            rmtree(folder, ignore_errors=True)

    def settle(
        self,
        prepared: Path | None,
        version: Version,
        rows: Sequence[Row],
        contents: Contents,
        keeps_number: bool = False,
    ) -> Version:
        """Make ``version`` the next of its set; pixels come from the folder ``prepared``, if they are new.

        One that ``keeps_number`` keeps its own where that is free, so that versions that travel stay in their order.

        The version is complete once its folder is there. Raises OSError, PictureSetError where the data set is somebody
        else's.
        """
        place = self.folder / version.name
        place.mkdir(exist_ok=True)
        with self.aside() as folder, exclusive(place):
            taken = self.numbers(version.name)
            self.check_ours(version.name)
            if not taken:
                give(place, self.owner)
            number = version.number if keeps_number and version.number not in taken else max(taken, default=0) + 1
            settled = version.model_copy(update={"number": number})
            if prepared:
                for file in files_of(version.pixels):
                    (prepared / file).replace(place / file)
            atomic_write(folder / "pictures.csv", write_rows(rows))
            atomic_write(folder / "report.csv", _report(contents))
            atomic_write(folder / "version.json", settled.model_dump_json(indent=1) + "\n")
            folder.rename(self._path(version.name, number))
        return settled

    def remove(self, name: str) -> str:
        """Remove a data set with all versions. Returns its key for ``restore``. Raises PictureSetError."""
        if not self.numbers(name):
            raise PictureSetError(f"there is no data set {name[:60]!r}")
        self.check_ours(name)
        removed = self.folder / _REMOVED
        removed.mkdir(exist_ok=True)
        for old in removed.iterdir():
            if is_older(old, DELETED_ARE_KEPT):
                rmtree(old, ignore_errors=True)
        key = f"{name}@{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
        (self.folder / name).replace(removed / key)
        os.utime(removed / key)
        return key

    def removed(self) -> list[str]:
        """List the keys of data sets that can be restored, the latest first."""
        try:
            keys = [path.name for path in (self.folder / _REMOVED).iterdir() if _REMOVED_KEY.fullmatch(path.name)]
        except OSError:
            return []
        ours = [key for key in keys if self._may_change(self.folder / _REMOVED / key)]
        return sorted(ours, key=lambda key: key.partition("@")[2], reverse=True)

    def restore(self, key: str) -> str:
        """Bring a removed data set back. Returns its name. Raises PictureSetError where its name is taken by now."""
        name = key.partition("@")[0]
        if key not in self.removed():
            raise PictureSetError("there is no such removed data set: it may be gone for good, or be back")
        if self.numbers(name):
            raise PictureSetError(f"there is another data set {name!r} by now: remove it first")
        with suppress(OSError):
            (self.folder / name).rmdir()
        (self.folder / _REMOVED / key).replace(self.folder / name)
        return name

    @property
    def disk_bytes(self) -> int:
        """The bytes of the data sets that can be changed, removed ones included."""
        there = [self.folder / name for name in self.names()]
        gone = [self.folder / _REMOVED / key for key in self.removed()]
        return sum(bytes_below(folder) for folder in [*there, *gone] if self._may_change(folder))

    def _may_change(self, folder: Path) -> bool:
        return not self.owner or belonging_of(folder).owner == self.owner

    def _path(self, name: str, number: int) -> Path:
        return self.folder / name / f"version-{number}"


def _no_version(name: str, asked: str, numbers: Sequence[int]) -> PictureSetError:
    known = ", ".join(map(str, numbers))
    return PictureSetError(f"{name} has no version {asked[:60]} here: choose one of {known}")


REPORTED = ("refused", "ignored")


def is_own_key(key: str) -> bool:
    """Tell whether a key names a version of a user's own data set and its digest, whether it is here or not."""
    match = _KEY.fullmatch(key)
    return bool(match and match["digest"])


def previews_name(pixels: str) -> str:
    """Return the name of the file of previews that goes with a file of pixels."""
    return pixels.replace("pixels-", "previews-").replace(".safetensors", ".bin")


def files_of(pixels: str) -> tuple[str, str, str]:
    """List the files that versions share: of pixels, and what goes with it."""
    return pixels, previews_name(pixels), features_name(pixels)


def features_name(pixels: str) -> str:
    """Return the name of the file that describes the pictures of a file of pixels."""
    return pixels.replace("pixels-", "features-")


def read_report(text: str) -> Contents:
    """Read which files were refused or ignored. Raises ValueError or csv.Error."""
    lines = list(csv.reader(StringIO(text, newline="")))[1:]
    kinds = {kind: tuple((file, reason) for what, file, reason in lines if what == kind) for kind in REPORTED}
    return Contents(kinds["refused"], kinds["ignored"])


def _report(contents: Contents) -> str:
    file = StringIO()
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(("what", "file", "reason"))
    for kind in REPORTED:
        lines.writerows((kind, *row) for row in getattr(contents, kind))
    return file.getvalue()


def _info(folder: Path) -> Version:
    path = folder / "version.json"
    try:
        changed = path.stat().st_mtime_ns
        return _cached_info(path, changed)
    except OSError as error:
        raise PictureSetError(f"{folder.parent.name} has no whole {folder.name}: add its pictures again") from error


@lru_cache(maxsize=256)
def _cached_info(path: Path, _changed: int) -> Version:
    return read_info(read_limited(path, MAX_INFO), f"{path.parent.parent.name}/{path.parent.name}")
