from __future__ import annotations

import os
import struct
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import pytest

from cnnlab.data.pictures import sources
from cnnlab.data.pictures.sources import SourceError, SourceFile, is_inside, open_source
from tests.data.pictures.photos import folder_of, zip_of

FILES = {"cat/a.png": b"a", "été/naïve 猫.png": b"b"}


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_files_are_listed_and_read_by_their_paths(kind: str, tmp_path: Path) -> None:
    path = folder_of(FILES, tmp_path / "x") if kind == "folder" else zip_of(FILES, tmp_path / "x.zip")
    with open_source(path) as source:
        assert source.title == "x"
        assert source.files() == [SourceFile(name, 1) for name in sorted(FILES)]
        assert {name: source.read(name) for name in FILES} == FILES


def test_links_of_a_folder_are_not_followed(tmp_path: Path) -> None:
    folder = folder_of(FILES, tmp_path / "x")
    (tmp_path / "secret.png").write_bytes(b"secret")
    (folder / "cat/link.png").symlink_to(tmp_path / "secret.png")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "cat/pipe.png")
    with open_source(folder) as source:
        refused = {file.path: file.refusal for file in source.files() if file.refusal}
    assert refused == dict.fromkeys(("cat/link.png", "cat/pipe.png"), "it is a link or no plain file")


def test_a_zips_names_that_lead_out_twins_and_links_are_refused(tmp_path: Path) -> None:
    link = ZipInfo("cat/link.png")
    link.external_attr = 0o120777 << 16
    with ZipFile(tmp_path / "x.zip", "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        for name in ("../out.png", "/etc/passwd", "C:/x.png", "cat/a.png", "cat/a.png", link):
            archive.writestr(name, b"x")
    with open_source(tmp_path / "x.zip") as source:
        reasons = [file.refusal for file in source.files()]
    assert sum("leads out" in reason for reason in reasons) == 3
    assert sum("same name" in reason for reason in reasons) == 1
    assert sum(reason == "it is a link" for reason in reasons) == 1


def test_what_grows_beyond_the_bound_is_read_no_further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_FILE_BYTES", 1_000_000)
    path = tmp_path / "bomb.zip"
    with ZipFile(path, "w", 8) as archive:
        archive.writestr("cat/a.png", bytes(9_000_000))
    claimed = bytearray(path.read_bytes())
    for at in (claimed.rfind(b"PK\x01\x02") + 24, claimed.find(b"PK\x03\x04") + 22):
        claimed[at : at + 4] = struct.pack("<I", 9_000_000)
    path.write_bytes(claimed)
    with open_source(path) as source, pytest.raises(SourceError, match="larger than 1 MB"):
        source.read(source.files()[0].path)


def test_a_damaged_entry_is_told_of_by_itself(tmp_path: Path) -> None:
    path = zip_of({"cat/a.png": bytes(range(256)), "cat/b.png": b"b"}, tmp_path / "x.zip")
    content = bytearray(path.read_bytes())
    content[content.find(bytes(range(99)))] ^= 1
    path.write_bytes(content)
    with open_source(path) as source:
        source.files()
        assert source.read("cat/b.png") == b"b"
        with pytest.raises(SourceError, match="damaged"):
            source.read("cat/a.png")


@pytest.mark.parametrize("content", [b"", b"PK", b"no archive", BytesIO().getvalue()])
def test_what_is_no_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(SourceError, match=r"x\.zip is no whole ZIP archive"), open_source(tmp_path / "x.zip"):
        pass


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_FILES", 1)
    for path in (folder_of(FILES, tmp_path / "x"), zip_of(FILES, tmp_path / "x.zip")):
        with open_source(path) as source, pytest.raises(SourceError, match="more than 1 files"):
            source.files()


@pytest.mark.parametrize("path", ["", "..", "a/../b", "/a", "C:/a", "a\0b", "a" * 1001])
def test_paths_that_lead_out_are_not_inside(path: str) -> None:
    assert not is_inside(path)
    assert all(map(is_inside, ("a/b..c/..d", "size: small/a.png")))
