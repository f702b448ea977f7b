from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cnnlab.data.datasets import DATASETS, dataset_spec, own_pictures
from cnnlab.data.loading import load
from cnnlab.data.pictures.confirmed import confirm
from cnnlab.data.pictures.store import Library
from cnnlab.data.pictures.version import PictureSetError, Version
from cnnlab.data.spec import DatasetError
from cnnlab.people.belonging import Belonging
from tests.data.pictures.photos import added, folder_of, photos


@pytest.fixture
def library() -> Library:
    return own_pictures()


@pytest.fixture
def version(library: Library, tmp_path: Path) -> Version:
    return added(folder_of(photos(), tmp_path / "in"), library).version


def test_it_is_a_data_set_like_any_other(version: Version) -> None:
    assert list(DATASETS)[-1] == version.key
    for name in ("photos", "photos@1", version.key):
        assert name in DATASETS
        assert dataset_spec(name).name == version.key
    assert "photos@2" not in DATASETS
    assert "no such" not in DATASETS
    with pytest.raises(DatasetError, match="has no version 2 here"):
        dataset_spec("photos@2")
    with pytest.raises(DatasetError, match="unknown data set 'paintings'"):
        dataset_spec("paintings")


def test_a_name_with_another_digest_is_told_of(version: Version) -> None:
    with pytest.raises(DatasetError, match="holds other pictures"):
        dataset_spec("photos@1:00000000")


def test_a_removed_set_can_be_restored(version: Version, library: Library) -> None:
    key = library.remove("photos")
    assert library.names() == []
    assert library.removed() == [key]
    with pytest.raises(PictureSetError):
        library.remove("photos")
    assert library.restore(key) == "photos"
    assert library.version("photos") == version
    assert len(load("photos").test) == version.test


def test_a_taken_name_is_not_overwritten(version: Version, library: Library, tmp_path: Path) -> None:
    key = library.remove("photos")
    other = added(folder_of(photos(("red", "green")), tmp_path / "other"), library).version
    with pytest.raises(PictureSetError, match="another data set"):
        library.restore(key)
    assert library.version("photos") == other


def test_a_set_of_somebody_is_changed_by_them_and_those_in_charge_alone(library: Library, tmp_path: Path) -> None:
    adas, bobs = own_pictures("a" * 32), own_pictures("b" * 32)
    version = added(folder_of(photos(), tmp_path / "in"), adas).version
    assert library.belonging("photos") == Belonging(owner=adas.owner)
    assert (adas.is_ours("photos"), bobs.is_ours("photos"), library.is_ours("photos")) == (True, False, True)
    changes: tuple[Callable[[], object], ...] = (
        lambda: bobs.show("photos", True),
        lambda: bobs.remove("photos"),
        lambda: confirm(bobs, version, [0]),
        lambda: added(folder_of(photos(("red", "green")), tmp_path / "other"), bobs),
    )
    for change in changes:
        with pytest.raises(PictureSetError, match="somebody else"):
            change()
    assert library.numbers("photos") == [1]
    adas.show("photos", True)
    assert library.belonging("photos").is_shown
    key = library.remove("photos")
    assert (bobs.removed(), adas.removed()) == ([], [key])
    with pytest.raises(PictureSetError):
        bobs.restore(key)
    assert adas.restore(key) == "photos"


def test_who_may_not_see_a_set_finds_it_by_its_digest_alone(version: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DATASETS, "is_seen", lambda name: name != "photos")
    assert version.key not in list(DATASETS)
    assert version.key in DATASETS  # a run that one may see names it
    for name in ("photos", "photos@1"):
        assert name not in DATASETS
        with pytest.raises(DatasetError) as refusal:
            dataset_spec(name)
        assert version.key not in str(refusal.value)


def test_names_that_are_paths_are_none(library: Library) -> None:
    for name in ("..", "../x", "a/b", "", "A", "x" * 41, "photos@", "@1"):
        assert library.numbers(name) == []
        with pytest.raises(PictureSetError):
            library.version(name)
        with pytest.raises(PictureSetError):
            library.restore(name)


@pytest.mark.parametrize("file", ["version.json", "pictures.csv", "pixels"])
@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\x00"])
def test_damaged_files_are_told_of(file: str, content: bytes, version: Version, library: Library) -> None:
    path = library.folder / "photos" / (version.pixels if file == "pixels" else f"version-1/{file}")
    stamp = path.stat().st_mtime_ns
    path.write_bytes(content)
    os.utime(path, ns=(stamp, stamp + 1))
    with pytest.raises((DatasetError, PictureSetError)):
        found = library.version("photos")
        library.pixels(found)
        from cnnlab.data.pictures.version import rows_of  # noqa: PLC0415

        rows_of.cache_clear()
        library.rows(found)
