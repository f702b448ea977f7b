"""Runs as one ZIP archive: packed here, unpacked on another machine.

Entries are the files of a run by the names they have on disk, ``<run id>/config.json`` and so on, weights of layers
that do not learn, ``pretrained/<digest>.safetensors``, and archives of the pictures they were trained on,
``pictures/<name>-<version>.zip``. An archive is untrusted: names, sizes and contents are
checked, decompressed bytes are counted, and nothing is unpickled.
"""

from __future__ import annotations

import re
import stat
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from io import SEEK_END
from math import inf
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from cnnlab.data.pictures import archive as pictures
from cnnlab.data.pictures.version import PictureSetError, Version
from cnnlab.errors import CnnLabError
from cnnlab.files import Guarded, atomic_file, clear_aside, folder_aside
from cnnlab.people.belonging import give
from cnnlab.quantities import size as told
from cnnlab.runs import archive_frozen, archive_pictures
from cnnlab.runs.archive_checks import MAX_WEIGHTS, admit
from cnnlab.runs.disk import DELETE, RoomError, check_room
from cnnlab.runs.run import MAX_READ, Run, RunError, frozen_store
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RUN_ID

MB = 1_000_000  # bytes
MAX_ENTRIES = 20_000  # 500 runs of the default's 39 files, or 240 of the longest
MAX_LIST_BYTES = 200 * MAX_ENTRIES  # the list of entries takes about 100 bytes for each
MAX_BYTES = 4_000 * MB  # unpacked, in total: 130 default runs
MAX_RATIO, FREE_BYTES = 20, 50 * MB  # unpacked bytes in archive sizes, and beyond them: weights hardly compress
MAX_FILE = {
    **MAX_READ,
    "checkpoint.safetensors": 4 * MAX_WEIGHTS,  # two moments of each weight, and the best weights
}
CHUNK = 1 * MB  # of a file in memory at once

_ENTRY = re.compile(
    rf"{RUN_ID.pattern}/((config|summary|about)\.json|(history|looks|resources)\.jsonl|checkpoint\.safetensors"
    rf"|(weights|checkpoints)/epoch-([0-9]{{3}}|1000)\.safetensors)|{archive_pictures.ENTRY}|{archive_frozen.ENTRY}"
)
# What operating systems add to folders and archives; folders have no content of their own.
_LITTER = re.compile(
    rf"(.*/)?((?i:\.DS_Store|Thumbs\.db|desktop\.ini)|\._[^/]*)|__MACOSX/.*|{RUN_ID.pattern}/((weights|checkpoints)/)?"
)
_DAMAGE = (BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, OverflowError, ValueError)


class ArchiveError(CnnLabError):
    """An archive that cannot be imported or made; the message names the entry and what to do."""


@dataclass(frozen=True)
class Unpacked:
    """Ids of an archive's runs, ascending."""

    added: list[str]
    known: list[str]  # were here already and are unchanged
    pictures: list[pictures.Unpacked] = field(default_factory=list)  # of the user's own data sets


def pack(runs: Sequence[Run], file: IO[bytes], versions: Sequence[Version] = ()) -> None:
    """Write ``runs`` as a ZIP archive, without locks and half-written files, and the pictures of ``versions``.

    Raises RunError where a run is damaged, PictureSetError where pictures are, ArchiveError where all are more than
    ``unpack`` accepts.
    """
    if len({run.id for run in runs}) < len(runs):
        raise ArchiveError("a run is named twice: name each once")
    files = {name: path for run in runs for name, path in _files(run).items()} | archive_frozen.files(runs)
    size = sum(path.stat().st_size for path in files.values()) + archive_pictures.size(versions)
    if len(files) + len(versions) > MAX_ENTRIES or size > MAX_BYTES:
        raise ArchiveError(f"the runs are more than an archive may hold ({_bounds()}): pack fewer at once")
    with ZipFile(file, "w", strict_timestamps=False) as archive:
        for name, path in files.items():
            # Weights hardly compress: deflate would take 7 % off them, at 40 MB a second.
            archive.write(path, name, ZIP_STORED if path.suffix == ".safetensors" else ZIP_DEFLATED)
        archive_pictures.write(versions, archive)


def pack_file(runs: Sequence[Run], path: Path, versions: Sequence[Version] = ()) -> None:
    """Write ``runs`` as an archive to ``path``, replaced once the archive is complete. Raises as ``pack``."""
    try:
        with atomic_file(path) as aside, aside.open("wb") as file:
            pack(runs, file, versions)
    except OSError as error:
        raise ArchiveError(f"{path} cannot be written ({error.strerror or error}): choose another place") from error


def unpack(file: IO[bytes], store: RunStore, room: float = inf) -> Unpacked:
    """Add an archive's runs to ``store``, and its pictures to the user's own: all that are missing there, or none.

    All belong to the store's owner, who has ``room`` for so many bytes. ``file`` must be seekable. Raises ArchiveError
    where the archive is damaged, too large or holds anything but runs.
    """
    try:
        store.folder.mkdir(parents=True, exist_ok=True)
        clear_aside(store.folder)
        with folder_aside(store.folder) as incoming:
            arriving = RunStore(incoming)
            ids = _extract(file, arriving, store, room)
            new = sorted(run_id for run_id in ids if (arriving.folder / run_id).exists())
            own_weights = frozen_store(store.folder)
            archive_frozen.lay_out(arriving.folder, own_weights)
            for run_id in new:
                admit(Run(arriving.folder / run_id))
                give(arriving.folder / run_id, store.owner)
            archive_frozen.take_in([Run(arriving.folder / run_id) for run_id in new], own_weights)
            brought = archive_pictures.take_in(arriving.folder, store.owner)
            added = _settle(new, arriving.folder, store.folder)
        return Unpacked(added, sorted(ids - set(added)), brought)
    except PictureSetError as error:
        raise ArchiveError(f"the archive's pictures: {error}") from error
    except RoomError as error:
        raise ArchiveError(str(error)) from error
    except RunError as error:
        raise ArchiveError(f"the archive's {error}: pack it again, with CNN Lab") from error
    except _DAMAGE as error:
        reason = str(error)[:200]  # it may quote a name of any length
        raise ArchiveError(f"this is not a whole ZIP archive ({reason}): pack or download it again") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise ArchiveError(f"the runs could not be unpacked ({reason}): see to it and try again") from error


def _files(run: Run) -> dict[str, Path]:
    """Return the files of a run's folder that go into an archive, by their names there."""
    _ = run.config, run.summary  # raise RunError where it is damaged
    found = {f"{run.id}/{path.relative_to(run.folder).as_posix()}": path for path in sorted(run.folder.rglob("*"))}
    files = {name: path for name, path in found.items() if _ENTRY.fullmatch(name) and path.is_file()}
    for name, path in files.items():
        if path.stat().st_size > _longest(path):
            raise ArchiveError(f"{name} is larger than an archive takes: leave that run out")
    return files


def _longest(path: Path) -> int:
    """Return the most bytes of a file of a run."""
    is_checkpoint = path.parent.name == "checkpoints"
    return MAX_FILE["checkpoint.safetensors"] if is_checkpoint else MAX_FILE.get(path.name, MAX_WEIGHTS)


def _bounds() -> str:
    return f"{MAX_ENTRIES:,} files, {MAX_BYTES // MB:,} MB unpacked"


def _extract(file: IO[bytes], arriving: RunStore, store: RunStore, own_room: float) -> set[str]:
    """Write the runs that ``store`` lacks into ``arriving``; return the ids of all runs of the archive."""
    room = MAX_BYTES
    packed = file.seek(0, SEEK_END)
    with ZipFile(Guarded(file, MAX_LIST_BYTES, _too_much())) as archive:
        entries = _entries(archive)
        if sum(info.file_size for info in entries.values()) > FREE_BYTES + MAX_RATIO * packed:
            raise ArchiveError(f"the archive unpacks to more than {MAX_RATIO} times its size: no runs do")
        ids = {name.split("/")[0] for name in entries} - {archive_pictures.FOLDER, archive_frozen.FOLDER}
        known = {run_id for run_id in ids if store.has(run_id)}
        new = {name: info for name, info in entries.items() if name.split("/")[0] not in known}
        size = sum(info.file_size for info in new.values())
        if size > own_room:
            left = f"you have {told(own_room)} of disk left"
            raise ArchiveError(f"the archive unpacks to {told(size)}, and {left}: {DELETE}")
        check_room(store.folder, size)
        for name, info in new.items():
            room -= _copy(archive, info, arriving.folder / name, room)
    return ids


def _entries(archive: ZipFile) -> dict[str, ZipInfo]:
    """Return the archive's entries by name, after checking their headers."""
    infos = archive.infolist()
    if len(infos) > MAX_ENTRIES:
        raise _too_much()
    entries: dict[str, ZipInfo] = {}
    for info in infos:
        name = info.orig_filename  # the name in the archive; ``filename`` ends at a null byte
        if _LITTER.fullmatch(name):
            continue
        if reason := _objection(info) or ("is there twice" if name in entries else ""):
            raise _refusal(name, reason)
        entries[name] = info
    return entries


def _objection(info: ZipInfo) -> str:
    """Return what is wrong with an entry's header; empty where nothing is."""
    if not _ENTRY.fullmatch(info.orig_filename):
        return "is no file of a run"
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return "is a link or a device"
    if info.flag_bits & 1:
        return "is encrypted"
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        return "is neither stored nor deflated"
    if info.compress_type == ZIP_STORED and info.compress_size != info.file_size:
        return "says two lengths of itself"
    return ""


def _copy(archive: ZipFile, info: ZipInfo, target: Path, room: int) -> int:
    """Decompress an entry into a new file and return its bytes, counted; ``room`` is left for the whole archive."""
    limit = room if target.suffix == ".zip" else _longest(target)
    size = 0
    if info.file_size > limit:  # by its own header
        raise _refusal(info.orig_filename, f"is larger than {limit:,} bytes")
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(info) as source, target.open("xb") as file:
        for chunk in iter(partial(source.read, CHUNK), b""):
            size += len(chunk)
            if size > limit:
                raise _refusal(info.orig_filename, f"is larger than {limit:,} bytes")
            if size > room:
                raise _too_much()
            file.write(chunk)
    if size != info.file_size:
        raise BadZipFile("an entry has not the length that it says")
    return size


def _settle(ids: list[str], arriving: Path, folder: Path) -> list[str]:
    """Move the runs into ``folder``; on failure, none. Runs that another process added meanwhile stay as they are.

    Returns the ids of the runs that were moved.
    """
    try:
        for run_id in ids:
            _move(arriving / run_id, folder / run_id)
        return [run_id for run_id in ids if not (arriving / run_id).exists()]
    except BaseException:
        for run_id in ids:
            if not (arriving / run_id).exists():
                (folder / run_id).rename(arriving / run_id)
        raise


def _move(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError:
        if not target.exists():
            raise


def _refusal(name: str, reason: str) -> ArchiveError:
    return ArchiveError(f"the archive's entry {name[:120]!r} {reason}: pack its runs again, with CNN Lab")


def _too_much() -> ArchiveError:
    return ArchiveError(f"the archive is larger than allowed ({_bounds()}): pack fewer runs at once")
