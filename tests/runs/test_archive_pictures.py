from __future__ import annotations

from io import BytesIO
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import pytest

from cnnlab.data.datasets import own_pictures
from cnnlab.data.pictures.archive import Unpacked
from cnnlab.data.pictures.editing import change
from cnnlab.data.pictures.version import PictureSetError, Version
from cnnlab.runs.archive import ArchiveError, pack, unpack
from cnnlab.runs.archive_pictures import versions_of
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig
from tests.data.pictures.photos import added, folder_of, photos


@pytest.fixture
def versions(tmp_path: Path) -> list[Version]:
    """Two versions that share their pixels."""
    first = added(folder_of(photos(each=6), tmp_path / "in"), own_pictures(), "pets").version
    return [first, change(own_pictures(), first, {0: "dog"})]


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "arrived")


def run_of(version: Version, folder: Path) -> Run:
    return RunStore(folder).create(RunConfig(dataset=version.key))


def packed(versions: list[Version], runs: list[Run]) -> BytesIO:
    file = BytesIO()
    pack(runs, file, versions)
    return file


def test_the_own_versions_that_runs_learned_from_are_named_once(versions: list[Version]) -> None:
    keys = [version.key for version in versions]
    assert versions_of([keys[1], "mnist-sample", keys[0], keys[1]]) == [versions[1], versions[0]]
    with pytest.raises(PictureSetError, match="there is no data set"):
        versions_of(["birds@1:12345678"])


def test_runs_arrive_with_their_pictures_and_find_them(
    versions: list[Version], store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [run_of(version, tmp_path / "runs") for version in versions]
    file = packed(versions, runs)
    here = {version.key: own_pictures().rows(version) for version in versions}
    monkeypatch.setenv("CNNLAB_PICTURES", str(tmp_path / "elsewhere"))
    arrived = unpack(file, store)
    assert arrived.added == sorted(run.id for run in runs)
    assert [(one.version.digest, one.is_new) for one in arrived.pictures] == [(one.digest, True) for one in versions]
    assert {key: own_pictures().rows(own_pictures().version(key)) for key in here} == here
    again = unpack(file, store)
    assert again.added == []
    assert [one.is_new for one in again.pictures] == [False, False]
    assert own_pictures().numbers("pets") == [1, 2]


def test_without_them_an_archive_has_runs_only(versions: list[Version], store: RunStore, tmp_path: Path) -> None:
    run = run_of(versions[0], tmp_path / "runs")
    file = packed([], [run])
    assert all(name.startswith(run.id) for name in ZipFile(file).namelist())
    assert unpack(file, store).pictures == []


def test_pictures_that_are_here_stay_as_they_are(versions: list[Version], store: RunStore, tmp_path: Path) -> None:
    file = packed(versions[:1], [run_of(versions[0], tmp_path / "runs")])
    assert unpack(file, store).pictures == [Unpacked(versions[0], is_new=False)]
    assert own_pictures().numbers("pets") == [1, 2]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"no archive", "no whole archive of a data set"),
        (b"", "no whole archive of a data set"),
        ("one pixel", "do not belong together"),
    ],
)
def test_pictures_that_are_not_what_they_say_keep_everything_out(
    content: bytes | str,
    told: str,
    versions: list[Version],
    store: RunStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = packed(versions, [run_of(version, tmp_path / "runs") for version in versions])
    damaged = BytesIO()
    with ZipFile(file) as whole, ZipFile(damaged, "w", ZIP_STORED) as spoilt:
        for name in whole.namelist():
            entry = whole.read(name)
            if name == "pictures/pets-2.zip":
                entry = content if isinstance(content, bytes) else one_pixel_off(entry)
            spoilt.writestr(name, entry)
    monkeypatch.setenv("CNNLAB_PICTURES", str(tmp_path / "elsewhere"))
    with pytest.raises(ArchiveError, match=told):
        unpack(damaged, store)
    assert own_pictures().names() == []
    assert store.all() == []


def one_pixel_off(archive: bytes) -> bytes:
    file = BytesIO()
    with ZipFile(BytesIO(archive)) as whole, ZipFile(file, "w", ZIP_STORED) as spoilt:
        for name in whole.namelist():
            entry = bytearray(whole.read(name))
            if name.startswith("pixels-"):
                entry[-1] ^= 1
            spoilt.writestr(name, bytes(entry))
    return file.getvalue()


@pytest.mark.parametrize("name", ["pictures/../evil.zip", "pictures/pets-0.zip", "pictures/pets-1.zip/x", "pictures/x"])
def test_other_names_are_refused(name: str, store: RunStore) -> None:
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(ArchiveError, match="is no file of a run"):
        unpack(file, store)
