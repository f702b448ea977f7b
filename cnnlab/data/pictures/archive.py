"""A version of a user's data set as one ZIP archive: packed here, unpacked on another machine.

An archive is untrusted: its entries, their sizes and contents are checked, and all must hash to what it says.
"""

from __future__ import annotations

import csv
import math
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
from cnnlab.files import atomic_file

INFO, TABLE, REPORT = "version.json", "pictures.csv", "report.csv"
MAX_ROWS = 200_000  # pictures in the file of pixels
MAX_PREVIEWS = 4_000_000_000  # bytes of all previews
CHUNK = 1_000_000  # bytes in memory at once
_DAMAGE = (BadZipFile, LargeZipFile, EOFError, ValueError, NotImplementedError, RuntimeError, OverflowError)


def pack(library: Library, version: Version, path: Path) -> None:
    """Write a version with its pixels, its table and its report as an archive. Raises PictureSetError."""
    try:
        with atomic_file(path) as aside, ZipFile(aside, "w", ZIP_STORED) as archive:
            for name in (INFO, TABLE, REPORT):
                archive.write(library.folder / version.name / f"version-{version.number}" / name, name)
            for name in files_of(version.pixels):
                archive.write(library.folder / version.name / name, name)
    except OSError as error:
        raise PictureSetError(f"{version.key} could not be packed ({error.strerror or error})") from error


def unpack(file: IO[bytes], library: Library) -> Version:
    """Add an archive's version as the next one of its data set; one that is here already is returned as it is.

    Raises PictureSetError where the archive is damaged, too large or not what it says.
    """
    try:
        with ZipFile(file) as archive, library.aside() as folder:
            entries = {info.orig_filename: info for info in archive.infolist()}
            version = read_info(_small(archive, entries, INFO, MAX_INFO), "the archive's version.json")
            if known := [one for one in library.versions(version.name) if one.digest == version.digest]:
                return known[0]
            _check_entries(archive, entries, version)
            for name in files_of(version.pixels):
                _copy(archive, entries[name], folder / name)
            rows = read_rows(_small(archive, entries, TABLE, MAX_TABLE).decode(), version)
            contents = read_report(_small(archive, entries, REPORT, MAX_TABLE).decode())
            _check(version, rows, folder)
            return library.settle(folder, version.model_copy(update={"change": "unpacked"}), rows, contents)
    except OSError as error:
        raise PictureSetError(f"the archive could not be unpacked ({error.strerror or error})") from error
    except (*_DAMAGE, csv.Error) as error:
        raise PictureSetError("this is no whole archive of a data set: pack or download it again") from error


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
        raise PictureSetError("the archive has other files than a data set's: pack it again, with CNN Lab")
    for name, info in entries.items():
        if info.compress_type != ZIP_STORED or info.compress_size != info.file_size or info.flag_bits & 1:
            raise PictureSetError(f"{name} in the archive is compressed or needs a password: pack it with CNN Lab")
        if info.file_size > limits[name]:
            raise PictureSetError(f"{name} in the archive is larger than a data set's may be")


def _small(archive: ZipFile, entries: dict[str, ZipInfo], name: str, most: int) -> bytes:
    """Read an entry of at most ``most`` bytes. Raises PictureSetError where it is missing or longer."""
    if name not in entries:
        raise PictureSetError(f"the archive has no {name}: it is not of a data set")
    with archive.open(entries[name]) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise PictureSetError(f"{name} in the archive is larger than a data set's may be")
    return content


def _copy(archive: ZipFile, info: ZipInfo, target: Path) -> None:
    with archive.open(info) as source, target.open("xb") as file:
        for chunk in iter(partial(source.read, CHUNK), b""):
            file.write(chunk)


def _check(version: Version, rows: list[Row], folder: Path) -> None:
    """Raise PictureSetError where pixels, previews, features or rows do not belong together."""
    pixels, previews, features = (folder / name for name in files_of(version.pixels))
    images = len(map_pixels(pixels, version.shape))
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
