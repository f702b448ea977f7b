"""A version of a user's data set as one ZIP archive: packed here, unpacked on another machine.

An archive is untrusted: its entries, their sizes and contents are checked, and all must hash to what it says.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO
from zipfile import ZIP_STORED, BadZipFile, LargeZipFile, ZipFile, ZipInfo

import numpy as np

from cnnlab.data.pictures.features import FEATURES
from cnnlab.data.pictures.store import Library, features_name, files_of, previews_name, read_report
from cnnlab.data.pictures.version import (
    MAX_INFO,
    MAX_TABLE,
    PictureSetError,
    Row,
    Version,
    digest_of,
    map_pixels,
    read_info,
    read_rows,
)
from cnnlab.data.pictures.writing import pixels_name, read_features
from cnnlab.files import Guarded, atomic_file

INFO, TABLE, REPORT = "version.json", "pictures.csv", "report.csv"
MAX_ROWS = 200_000  # pictures in the file of pixels
MAX_PREVIEWS = 4_000_000_000  # bytes of all previews
CHUNK = 1_000_000  # bytes in memory at once
_OTHER_FILES = "the archive has other files than a data set's: pack it again, with CNN Lab"
_DAMAGE = (BadZipFile, LargeZipFile, EOFError, ValueError, NotImplementedError, RuntimeError, OverflowError)


@dataclass(frozen=True)
class Unpacked:
    """A version that an archive brought, as it is here."""

    version: Version
    is_new: bool  # else it was here already and is unchanged


def pack(library: Library, version: Version, path: Path) -> None:
    """Write a version with its pixels, its table and its report as an archive. Raises PictureSetError."""
    try:
        with atomic_file(path) as aside, aside.open("wb") as file:
            write(library, version, file)
    except OSError as error:
        raise _unpackable(version, error) from error


def write(library: Library, version: Version, file: IO[bytes]) -> None:
    """Write a version as an archive to ``file``, which need not be seekable. Raises PictureSetError."""
    try:
        with ZipFile(file, "w", ZIP_STORED) as archive:
            for name, path in _files(library, version).items():
                archive.write(path, name)
    except OSError as error:
        raise _unpackable(version, error) from error


def packed_bytes(library: Library, version: Version) -> int:
    """Return about how large a version's archive is. Raises PictureSetError."""
    try:
        return sum(path.stat().st_size for path in _files(library, version).values())
    except OSError as error:
        raise _unpackable(version, error) from error


def _files(library: Library, version: Version) -> dict[str, Path]:
    """Return the files of a version by their names in an archive."""
    own = {name: library.folder / version.name / f"version-{version.number}" / name for name in (INFO, TABLE, REPORT)}
    return own | {name: library.folder / version.name / name for name in files_of(version.pixels)}


def _unpackable(version: Version, error: OSError) -> PictureSetError:
    return PictureSetError(f"{version.key} could not be packed ({error.strerror or error})")


def unpack(file: IO[bytes], library: Library) -> Unpacked:
    """Add an archive's version as the next one of its data set, unless it is here already.

    Raises PictureSetError where the archive is damaged, too large or not what it says.
    """
    (unpacked,) = unpack_all([file], library)
    return unpacked


def unpack_all(files: Sequence[IO[bytes]], library: Library) -> list[Unpacked]:
    """Add the versions of several archives, after all of them were checked. Raises as ``unpack``."""
    try:
        with library.aside() as folder:
            places = [Library(folder / str(number)) for number in range(len(files))]  # versions may share their pixels
            arrived = [_arrived(file, library, place) for file, place in zip(files, places, strict=True)]
            return [_settled(one, library, place) for one, place in zip(arrived, places, strict=True)]
    except OSError as error:
        raise PictureSetError(f"the archive could not be unpacked ({error.strerror or error})") from error
    except (*_DAMAGE, csv.Error) as error:
        raise PictureSetError("this is no whole archive of a data set: pack or download it again") from error


def _arrived(file: IO[bytes], library: Library, arriving: Library) -> Unpacked:
    """Check an archive and put its version into ``arriving``, unless ``library`` has it."""
    with ZipFile(Guarded(file, CHUNK, PictureSetError(_OTHER_FILES))) as archive, arriving.aside() as folder:
        entries = {info.orig_filename: info for info in archive.infolist()}
        version = read_info(_small(archive, entries, INFO, MAX_INFO), "the archive's version.json")
        if known := _known(version, library):
            return known
        _check_entries(archive, entries, version)
        for name in files_of(version.pixels):
            _copy(archive, entries[name], folder / name)
        rows = read_rows(_small(archive, entries, TABLE, MAX_TABLE).decode(), version)
        contents = read_report(_small(archive, entries, REPORT, MAX_TABLE).decode())
        _check(version, rows, folder)
        change = {"change": "unpacked"}
        arrived = arriving.settle(folder, version.model_copy(update=change), rows, contents, keeps_number=True)
        return Unpacked(arrived, is_new=True)


def _settled(one: Unpacked, library: Library, arriving: Library) -> Unpacked:
    """Move what arrived into ``library``, unless another process, or another archive, brought it meanwhile."""
    if not one.is_new:
        return one
    if known := _known(one.version, library):
        return known
    rows, contents = arriving.rows(one.version), arriving.contents(one.version)
    folder = arriving.folder / one.version.name
    return Unpacked(library.settle(folder, one.version, rows, contents, keeps_number=True), is_new=True)


def _known(version: Version, library: Library) -> Unpacked | None:
    alike = [one for one in library.versions(version.name) if one.digest == version.digest]
    return Unpacked(alike[0], is_new=False) if alike else None


def _check_entries(archive: ZipFile, entries: dict[str, ZipInfo], version: Version) -> None:
    """Raise PictureSetError where entries are others than a version's, packed or too large."""
    pixels = files_of(version.pixels)[0]
    limits = {
        INFO: MAX_INFO,
        TABLE: MAX_TABLE,
        REPORT: MAX_TABLE,
        pixels: MAX_ROWS * math.prod(version.shape) + CHUNK,
        previews_name(pixels): MAX_PREVIEWS,
        features_name(pixels): MAX_ROWS * FEATURES * np.dtype(np.float16).itemsize + CHUNK,
    }
    if entries.keys() != limits.keys() or len(archive.infolist()) != len(limits):
        raise PictureSetError(_OTHER_FILES)
    for name, info in entries.items():
        if info.compress_type != ZIP_STORED or info.compress_size != info.file_size or info.flag_bits & 1:
            raise PictureSetError(f"{name} in the archive is compressed or needs a password: pack it with CNN Lab")
        if info.file_size > limits[name]:
            raise PictureSetError(f"{name} in the archive is larger than a data set's may be")


def _small(archive: ZipFile, entries: dict[str, ZipInfo], name: str, most: int) -> bytes:
    """Read an entry of at most ``most`` bytes. Raises PictureSetError where it is missing or longer."""
    if name not in entries:
        raise PictureSetError(f"the archive has no {name}: it is not of a data set")
    content = bytearray()
    with archive.open(entries[name]) as file:
        for chunk in iter(partial(file.read, CHUNK), b""):
            content += chunk
            if len(content) > most:
                raise PictureSetError(f"{name} in the archive is larger than a data set's may be")
    return bytes(content)


def _copy(archive: ZipFile, info: ZipInfo, target: Path) -> None:
    with archive.open(info) as source, target.open("xb") as file:
        for chunk in iter(partial(source.read, CHUNK), b""):
            file.write(chunk)


def _check(version: Version, rows: list[Row], folder: Path) -> None:
    """Raise PictureSetError where pixels, previews, features or rows do not belong together."""
    pixels, previews, features = (folder / name for name in files_of(version.pixels))
    images = len(map_pixels(pixels, version.shape).rows)
    length = previews.stat().st_size
    scale = (*version.mean, *version.std)
    is_right = (
        version.pixels == pixels_name(pixels, previews)
        and version.digest == digest_of(rows, version.classes, version.pixels)
        and len(version.mean) == len(version.std) == version.channels
        and all(map(math.isfinite, scale))
        and min(version.std) > 0
        and all(row.row < images and row.split in ("train", "test") for row in rows)
        and all(row.preview >= 0 <= row.preview_bytes and row.preview + row.preview_bytes <= length for row in rows)
        and read_features(features).shape == (images, FEATURES)
    )
    if not is_right:
        raise PictureSetError("the archive's files do not belong together: pack it again, with CNN Lab")
