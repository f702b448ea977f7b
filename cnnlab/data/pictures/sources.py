"""The files of a folder or a ZIP archive, listed without leaving it and read one at a time within bounds."""

from __future__ import annotations

import os
import re
import stat
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import IO, Protocol
from zipfile import BadZipFile, LargeZipFile, ZipFile, ZipInfo

from cnnlab.drawings.images import MAX_FILE_BYTES
from cnnlab.errors import CnnLabError
from cnnlab.files import read_limited

MAX_FILES = 200_000
MAX_PATH = 1_000  # characters
READ_AT_ONCE = 1_000_000  # bytes
_DRIVE = re.compile(r"[A-Za-z]:")  # of Windows
_UTF8_NAMES = 0x800  # flag of a ZIP entry
_ENCRYPTED = 0x1
# How zipfile and its decompressors tell of damage.
_DAMAGE = (BadZipFile, LargeZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)


class SourceError(CnnLabError):
    """A folder, an archive or a file in it that cannot be read; the message says why and what to do."""


@dataclass(frozen=True)
class SourceFile:
    """A file of a source: its path with ``/``, its size in bytes, and why it is not to be read, if so."""

    path: str
    size: int
    refusal: str = ""


class Source(Protocol):
    """A place that holds pictures."""

    title: str

    def files(self) -> list[SourceFile]:
        """List all files, sorted by path. Raises SourceError where they are too many."""

    def read(self, path: str) -> bytes:
        """Read a file that ``files`` listed; safe in several threads. Raises SourceError."""


class FolderSource:
    """A folder on this machine. Links are not followed: they may lead out of it, or in circles."""

    def __init__(self, folder: Path) -> None:
        self.title = folder.resolve().name
        self._folder = folder

    def files(self) -> list[SourceFile]:
        """List all files, sorted by path. Raises SourceError where they are too many."""
        found: list[SourceFile] = []
        for folder, _, names in os.walk(self._folder):
            for name in names:
                path = Path(folder, name)
                found.append(self._listed(path))
                _check_count(len(found))
        return sorted(found, key=lambda file: file.path)

    def _listed(self, path: Path) -> SourceFile:
        name = path.relative_to(self._folder).as_posix().encode(errors="replace").decode()
        try:
            about = path.lstat()
        except OSError as error:
            return SourceFile(name, 0, f"it cannot be read: {error.strerror or error}")
        return SourceFile(name, about.st_size, "" if stat.S_ISREG(about.st_mode) else "it is a link or no plain file")

    def read(self, path: str) -> bytes:
        """Read a file that ``files`` listed. Raises SourceError."""
        try:
            return read_limited(self._folder / path, MAX_FILE_BYTES)
        except OSError as error:
            raise SourceError(f"it cannot be read: {error.strerror or error}") from error


class ZipSource:
    """A ZIP archive. Sizes in it are claims: reading stops at the bound, whatever they say."""

    def __init__(self, archive: ZipFile, title: str) -> None:
        self.title = title
        self._archive = archive
        self._entries: dict[str, ZipInfo] = {}
        self._lock = Lock()  # a ZipFile seeks in one file

    def __enter__(self) -> ZipSource:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def files(self) -> list[SourceFile]:
        """List all files, sorted by path. Raises SourceError where they are too many."""
        entries = [entry for entry in self._archive.infolist() if not entry.is_dir()]
        _check_count(len(entries))
        found = []
        for entry in entries:
            name = _entry_name(entry)
            found.append(SourceFile(name, entry.file_size, self._refusal(entry, name)))
            self._entries.setdefault(name, entry)
        return sorted(found, key=lambda file: file.path)

    def _refusal(self, entry: ZipInfo, name: str) -> str:
        if name in self._entries:
            return "another file of the archive has the same name"
        if not is_inside(name):
            return "its name leads out of the archive"
        if stat.S_ISLNK(entry.external_attr >> 16):
            return "it is a link"
        return "it needs a password" if entry.flag_bits & _ENCRYPTED else ""

    def read(self, path: str) -> bytes:
        """Read a file that ``files`` listed. Raises SourceError."""
        try:
            with self._lock, self._archive.open(self._entries[path]) as file:
                return _read_bounded(file)
        except _DAMAGE as error:
            raise SourceError("it is damaged in the archive") from error


class BytesSource:
    """Files in memory, by their paths."""

    def __init__(self, contents: Mapping[str, bytes], title: str) -> None:
        self.title = title
        self._contents = contents

    def files(self) -> list[SourceFile]:
        """List all files, sorted by path."""
        return [SourceFile(path, len(content)) for path, content in sorted(self._contents.items())]

    def read(self, path: str) -> bytes:
        """Read a file that ``files`` listed."""
        return self._contents[path]


def zip_source(file: Path | IO[bytes], name: str) -> ZipSource:
    """Open a ZIP archive as a source, called like its file ``name``. Raises SourceError where it is none."""
    try:
        return ZipSource(ZipFile(file), PurePosixPath(name).stem)
    except FileNotFoundError as error:
        raise SourceError(f"there is no folder or file {file}") from error
    except _DAMAGE as error:
        raise SourceError(f"{name} is no whole ZIP archive: pack a folder as one, or download it again") from error


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a folder or a ZIP archive as a source. Raises SourceError where ``path`` is neither."""
    if path.is_dir():
        yield FolderSource(path)
        return
    with zip_source(path, path.name) as source:
        yield source


def _read_bounded(file: IO[bytes]) -> bytes:
    """Read a file part by part, as far as the bound. Raises SourceError beyond it."""
    content = bytearray()
    while part := file.read(READ_AT_ONCE):
        content += part
        if len(content) > MAX_FILE_BYTES:
            raise SourceError(f"it is larger than {MAX_FILE_BYTES // 1_000_000} MB")
    return bytes(content)


def is_inside(path: str) -> bool:
    """Tell whether a path with ``/`` is relative, of bounded length and never leads upward."""
    parts = PurePosixPath(path).parts
    is_relative = bool(parts) and not path.startswith("/") and not _DRIVE.match(path)
    return is_relative and ".." not in parts and len(path) <= MAX_PATH and "\0" not in path


def _entry_name(entry: ZipInfo) -> str:
    """Return an entry's name; one that is not marked as UTF-8 is read as it where it can be, as most are."""
    name = entry.filename
    if not entry.flag_bits & _UTF8_NAMES:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _check_count(files: int) -> None:
    if files > MAX_FILES:
        raise SourceError(f"there are more than {MAX_FILES:,} files: add some of its folders")
