from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pytest
import torch

from cnnlab.data.datasets import own_pictures
from cnnlab.data.pictures.archive import INFO, TABLE, Unpacked, pack, unpack
from cnnlab.data.pictures.editing import change
from cnnlab.data.pictures.store import Library, files_of
from cnnlab.data.pictures.version import PictureSetError, Version
from tests.data.pictures.photos import added, folder_of, photos

Entries = dict[str, bytes]


@pytest.fixture
def version(tmp_path: Path) -> Version:
    return added(folder_of(photos(each=6, size=50), tmp_path / "in"), own_pictures(), "pets", size=32).version


@pytest.fixture
def packed(version: Version, tmp_path: Path) -> Path:
    pack(own_pictures(), version, tmp_path / "pets.zip")
    return tmp_path / "pets.zip"


@pytest.fixture
def other(tmp_path: Path) -> Library:
    """The library of another machine, where another data set has the name."""
    library = Library(tmp_path / "other")
    added(folder_of(photos(("one", "two"), each=5), tmp_path / "else"), library, "pets")
    return library


def test_a_data_set_is_the_same_on_another_machine_and_found_by_its_key(
    version: Version, packed: Path, other: Library
) -> None:
    with packed.open("rb") as file:
        arrived = unpack(file, other).version
    assert (arrived.number, arrived.digest, arrived.change) == (2, version.digest, "unpacked")
    assert other.version(version.key) == arrived
    here = own_pictures()
    assert other.rows(arrived) == here.rows(version)
    assert torch.equal(other.pixels(arrived), here.pixels(version))
    assert (other.features(arrived) == here.features(version)).all()
    assert other.contents(arrived) == here.contents(version)
    row = here.rows(version)[0]
    assert other.preview(arrived, row) == here.preview(version, row) != b""


def test_versions_stay_in_their_order_whichever_arrives_first(version: Version, packed: Path, tmp_path: Path) -> None:
    newer = change(own_pictures(), version, {0: version.classes[1]})
    pack(own_pictures(), newer, tmp_path / "newer.zip")
    empty = Library(tmp_path / "empty")
    for path in (tmp_path / "newer.zip", packed):
        with path.open("rb") as file:
            unpack(file, empty)
    assert [one.digest for one in empty.versions("pets")] == [newer.digest, version.digest]


def test_what_is_here_already_stays_as_it_is(version: Version, packed: Path) -> None:
    with packed.open("rb") as file:
        assert unpack(file, own_pictures()) == Unpacked(version, is_new=False)
    assert own_pictures().numbers("pets") == [1]


def changed(name: str, change: Callable[[bytes], bytes]) -> Callable[[Entries], Entries]:
    return lambda entries: {**entries, name: change(entries[name])}


def info(**fields: object) -> Callable[[Entries], Entries]:
    return changed(INFO, lambda content: json.dumps(json.loads(content) | fields).encode())


def one_pixel(entries: Entries) -> Entries:
    name = next(name for name in entries if name.startswith("pixels-"))
    content = bytearray(entries[name])
    content[-1] ^= 1
    return {**entries, name: bytes(content)}


def last_line(change: str) -> Callable[[bytes], bytes]:
    def edit(content: bytes) -> bytes:
        *lines, last = content.decode().splitlines()
        cells = last.split(",")
        cells[{"row": 3, "preview": 9}[change]] = "999999"
        return "\n".join([*lines, ",".join(cells), ""]).encode()

    return edit


@pytest.mark.parametrize(
    ("hurt", "told"),
    [
        (lambda entries: {**entries, "../evil": b"x"}, "other files than"),
        (lambda entries: {name: entries[name] for name in entries if name != TABLE}, "other files than"),
        (lambda entries: {name: entries[name] for name in entries if name != INFO}, "has no version.json"),
        (info(number=0), "is damaged"),
        (info(mean=[float("inf")] * 3), "is damaged|do not belong together"),
        (info(std=[0.0] * 3), "do not belong together"),
        (info(digest="0" * 16), "do not belong together"),
        (info(size=16), "are not of 3×16×16"),
        (one_pixel, "do not belong together"),
        (changed(TABLE, last_line("row")), "do not belong together"),
        (changed(TABLE, last_line("preview")), "do not belong together"),
        (changed(TABLE, lambda content: content[:-30]), "is damaged|does not fit"),
        (changed(TABLE, lambda content: b"\xff" + content), "no whole archive"),
    ],
)
def test_an_archive_that_is_not_what_it_says_adds_nothing(
    hurt: Callable[[Entries], Entries], told: str, packed: Path, tmp_path: Path
) -> None:
    with ZipFile(packed) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    file = BytesIO()
    with ZipFile(file, "w", ZIP_STORED) as archive:
        for name, content in hurt(entries).items():
            archive.writestr(name, content)
    library = Library(tmp_path / "empty")
    with pytest.raises(PictureSetError, match=told):
        unpack(file, library)
    assert library.names() == []
    assert not (tmp_path / "evil").exists()


def test_what_is_no_archive_or_is_packed_small_is_refused(version: Version, packed: Path, tmp_path: Path) -> None:
    library = Library(tmp_path / "empty")
    for content in (b"", b"PK\x03\x04", packed.read_bytes()[:-500]):
        with pytest.raises(PictureSetError, match="no whole archive"):
            unpack(BytesIO(content), library)
    file = BytesIO()
    with ZipFile(packed) as archive, ZipFile(file, "w", ZIP_DEFLATED) as small:
        for name in archive.namelist():
            small.writestr(name, archive.read(name))
    with pytest.raises(PictureSetError, match="is compressed"):
        unpack(file, library)
    assert set(files_of(version.pixels)) < set(ZipFile(file).namelist())
