from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cnnlab.data.datasets import own_pictures
from cnnlab.data.loading import load
from cnnlab.data.pictures.editing import change, revert
from cnnlab.data.pictures.layout import LayoutError
from cnnlab.data.pictures.store import Library
from cnnlab.data.pictures.version import PictureSetError, Version
from tests.data.pictures.photos import added, folder_of, photos


@pytest.fixture
def library() -> Library:
    return own_pictures()


@pytest.fixture
def version(library: Library, tmp_path: Path) -> Version:
    return added(folder_of(photos(each=10), tmp_path), library, size=40).version


def labels(library: Library, version: Version) -> dict[str, str]:
    return {row.path: version.classes[row.label] for row in library.rows(version)}


def test_pictures_are_moved_and_removed_without_touching_the_pixels(version: Version, library: Library) -> None:
    rows = library.rows(version)
    changed = change(library, version, {0: "dog", 3: "bird", 6: "bird", 7: "bird"}, {5, 19})
    assert (changed.number, changed.pixels) == (2, version.pixels)
    assert changed.classes == ("cat", "dog", "bird")
    assert changed.change == "4 moved, 2 removed, from version 1"
    before, after = labels(library, version), labels(library, changed)
    assert after == {
        path: {rows[0].path: "dog", **{rows[number].path: "bird" for number in (3, 6, 7)}}.get(path, label)
        for path, label in before.items()
        if path not in (rows[5].path, rows[19].path)
    }
    data = load(changed.key, 0.2)
    assert len(data.test) == changed.test
    kept = [row for row in library.rows(changed) if row.split == "test"]
    assert torch.equal(data.test.images, library.pixels(changed)[[row.row for row in kept]])


def test_a_version_that_was_changed_stays_as_it_was(version: Version, library: Library) -> None:
    before = labels(library, version)
    change(library, version, {0: "dog"})
    assert labels(library, library.version("photos@1")) == before
    assert [one.number for one in library.versions("photos")] == [2, 1]


def test_a_class_without_pictures_goes(version: Version, library: Library) -> None:
    dogs = [number for number, row in enumerate(library.rows(version)) if row.label == 1]
    changed = change(library, version, dict.fromkeys(dogs[:5], "wolf") | dict.fromkeys(dogs[5:], "fox"))
    assert changed.classes == ("cat", "fox", "wolf")


def test_an_older_version_comes_back_as_the_latest(version: Version, library: Library) -> None:
    change(library, version, {0: "dog"})
    again = revert(library, version)
    assert (again.number, again.digest, again.change) == (3, version.digest, "copy of version 1")
    assert labels(library, again) == labels(library, version)
    with pytest.raises(PictureSetError, match="the latest version is the same as version 1"):
        revert(library, version)


def test_what_leaves_too_little_or_changes_nothing_is_refused(version: Version, library: Library) -> None:
    rows = library.rows(version)
    with pytest.raises(LayoutError, match="only one class"):
        change(library, version, dict.fromkeys(range(len(rows)), "dog"))
    with pytest.raises(LayoutError, match="no test pictures"):
        change(library, version, {}, {number for number, row in enumerate(rows) if row.split == "test"})
    for moved in ({}, {0: version.classes[rows[0].label]}):
        with pytest.raises(PictureSetError, match="nothing to change"):
            change(library, version, moved)
    assert library.numbers("photos") == [1]
