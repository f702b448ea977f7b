"""Archives of one's own pictures with a hostile file among good ones, or hostile themselves."""

from __future__ import annotations

import stat
import struct
import warnings
from collections.abc import Callable, Mapping
from functools import cache, partial
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from hypothesis import strategies as st

from cnnlab.data.pictures.adding import add
from cnnlab.data.pictures.assembling import Added, Options
from cnnlab.data.pictures.sources import zip_source
from cnnlab.data.pictures.store import Library
from cnnlab.drawings.images import MAX_FILE_BYTES, MAX_PHOTO_PIXELS
from tests.data.pictures.photos import photos, saved, scene
from tests.faults.bad_pictures import FOREIGN, claimed
from tests.faults.ground import Case, Ground, Refused, command

HOSTILE = "cat/hostile.jpg"
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "AVIF", "HEIF")
BOMB = MAX_FILE_BYTES + 1

Contents = Mapping[str, bytes]


@cache
def _whole(kind: str) -> bytes:
    return saved(scene(1, 80), kind)


@cache
def _good() -> Contents:
    return photos(each=3)


def _archive(files: Contents, *entries: tuple[ZipInfo, bytes]) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        for entry, content in entries:
            archive.writestr(entry, content, ZIP_DEFLATED)
    return file.getvalue()


def _linked(kind: int) -> bytes:
    entry = ZipInfo(HOSTILE)
    entry.external_attr = kind << 16
    return _archive(_good(), (entry, b"/etc/passwd"))


def _twins() -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of zipfile, of the second
        return _archive(_good(), (ZipInfo(next(iter(_good()))), _whole("PNG")))


def _torn_exif(megabytes: int) -> bytes:
    """A JPEG whose pixels are cut off, behind so many MB of EXIF, in parts as long as one may be."""
    part = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(60_000)
    exif = b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part
    whole = _whole("JPEG")
    return whole[:2] + exif * (megabytes * 1_000_000 // len(exif)) + whole[2 : len(whole) // 2]


def _endless(frames: int) -> bytes:
    """An animation of so many frames that ends before its first is whole."""
    pictures = [scene(number, 60) for number in range(frames)]
    content = saved(pictures[0], "GIF", save_all=True, append_images=pictures[1:], loop=0)
    return content[:900]


def _lying(content: bytes) -> bytes:
    """Its last entry says that it unpacks to nine bytes."""
    changed = bytearray(content)
    at = changed.rfind(b"PK\x01\x02")
    changed[at + 24 : at + 28] = struct.pack("<I", 9)
    return bytes(changed)


def cases(ground: Ground) -> st.SearchStrategy[Case]:
    torn = st.builds(
        lambda kind, share: _whole(kind)[: int(share * len(_whole(kind)))], st.sampled_from(FORMATS), st.floats(0, 0.6)
    )
    junk = st.builds(lambda kind, junk: _whole(kind)[:20] + junk, st.sampled_from(FORMATS), st.binary(max_size=500))
    one = (torn | junk | st.sampled_from(FOREIGN) | claimed(int(MAX_PHOTO_PIXELS**0.5) + 1)).map(
        lambda content: (f"{len(content)} bytes, {content[:40]!r}", _archive({**_good(), HOSTILE: content}))
    )
    outside = st.sampled_from(["../cat/x.jpg", "/cat/x.jpg", "C:/cat/x.jpg", "cat/../../x.jpg", "cat\\..\\..\\x.jpg"])
    among: st.SearchStrategy[tuple[str, bytes]] = st.one_of(
        one,
        outside.map(lambda name: (f"a name that leads out, {name}", _archive({**_good(), name: _whole("JPEG")}))),
        st.integers(1_001, 30_000).map(
            lambda length: ("a name without end", _archive({**_good(), f"cat/{'x' * length}.jpg": _whole("JPEG")}))
        ),
        st.sampled_from([stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO]).map(
            lambda kind: ("a link or a device", _linked(kind))
        ),
        st.just(("two files of one name", _twins())),
        st.integers(4, 10).map(lambda size: (f"{size} MB of EXIF", _archive({**_good(), HOSTILE: _torn_exif(size)}))),
        st.integers(10, 300).map(lambda frames: (f"{frames} frames", _archive({**_good(), HOSTILE: _endless(frames)}))),
        st.just(("a bomb", _archive({**_good(), HOSTILE: bytes(BOMB)}))),
        st.just(("a bomb that lies", _lying(_archive({**_good(), HOSTILE: bytes(BOMB)})))),
    )
    whole = _archive(_good())
    themselves: st.SearchStrategy[bytes] = st.one_of(
        st.floats(0, 0.99).map(lambda share: whole[: int(share * len(whole))]),
        st.binary(max_size=3_000),
        st.sampled_from([b"", b"<html>", _archive({}), _archive({"cat/a.jpg": _whole("JPEG")})]),
        st.just(_archive(dict.fromkeys(_good(), b""))),
    )
    return among.map(lambda made: Case(f"photos with {made[0]}", partial(_added, ground, made[1]))) | themselves.map(
        lambda content: Case(f"an archive of photos, {len(content)} bytes", _command(ground, content))
    )


def _command(ground: Ground, content: bytes) -> Callable[[], object]:
    return command("data", "add", ground.file("photos.zip", content), "--name", "photos")


def _added(ground: Ground, content: bytes) -> None:
    """Add an archive, all but one of whose pictures are good. Raises Refused with what is told of that one."""
    folder = ground.file("photos.zip", content).parent
    library = Library(folder / "pictures")
    with zip_source(BytesIO(content), "photos.zip") as source:
        *_, last = add(source, Options("photos"), library)
    assert isinstance(last, Added)
    assert {row.path for row in last.rows} == set(_good())
    assert {path.name for path in folder.iterdir()} == {"photos.zip", "pictures"}
    assert {path.name for path in library.folder.iterdir()} == {"photos"}
    ((_, reason),) = last.contents.refused
    raise Refused(reason)
