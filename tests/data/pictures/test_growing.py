from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cnnlab.data.datasets import own_pictures
from cnnlab.data.loading import load
from cnnlab.data.pictures import growing
from cnnlab.data.pictures.adding import Progress, describe
from cnnlab.data.pictures.archive import pack, unpack
from cnnlab.data.pictures.editing import change, revert
from cnnlab.data.pictures.growing import Newcomers, grow
from cnnlab.data.pictures.layout import LayoutError
from cnnlab.data.pictures.store import Library
from cnnlab.data.pictures.version import PictureSetError, Version, digest_of
from tests.data.pictures.photos import added, folder_of, photos, scene


@pytest.fixture
def library() -> Library:
    return own_pictures()


@pytest.fixture
def version(library: Library, tmp_path: Path) -> Version:
    return added(folder_of(photos(each=20, size=60), tmp_path / "in"), library, size=40).version


def newcomers(count: int = 20) -> Newcomers:
    images = np.stack([np.asarray(scene(1000 + number)).transpose(2, 0, 1) for number in range(count)])
    return Newcomers(images, [f"none/other-{number}" for number in range(count)], np.arange(count), 90, 80)


def grown(library: Library, version: Version, new: Newcomers | None = None) -> Version:
    *steps, last = grow(library, version, "none", new or newcomers())
    assert all(isinstance(step, Progress) for step in steps)
    assert isinstance(last, Version)
    return last


def test_a_class_more_is_the_next_version_and_the_old_one_stays(version: Version, library: Library) -> None:
    before, pixels = library.rows(version), library.pixels(version).clone()
    latest = grown(library, version)
    assert (latest.number, latest.classes) == (2, ("cat", "dog", "none"))
    assert latest.change == "20 of none added, from version 1"
    assert library.version("photos@1") == version
    assert library.rows(version) == before
    assert torch.equal(library.pixels(version), pixels)
    rows = library.rows(latest)
    assert rows[: len(before)] == before
    assert torch.equal(library.pixels(latest)[: len(pixels)], pixels)
    assert np.array_equal(library.pixels(latest)[len(pixels) :].numpy(), newcomers().images[:])
    assert latest.digest == digest_of(rows, latest.classes, latest.pixels)
    assert [library.preview(latest, row) for row in before] == [library.preview(version, row) for row in before]


def test_new_pictures_are_split_as_the_others_and_have_groups_of_their_own(version: Version, library: Library) -> None:
    latest = grown(library, version)
    known, new = library.rows(version), library.rows(latest)[40:]
    assert [row.row for row in new] == list(range(40, 60))
    assert sum(row.split == "test" for row in new) == round(20 * version.test / 40)
    assert (latest.train, latest.test) == (version.train + 17, version.test + 3)
    assert len({row.group for row in new} | {row.group for row in known}) == 20 + len({row.group for row in known})
    assert {(row.width, row.height, row.preview_bytes) for row in new} == {(90, 80, 0)}
    data = load(latest.key, 0.2)
    assert (len(data.train) + len(data.validation), len(data.test)) == (latest.train, latest.test)
    assert len({row.hash for row in new}) == len({row.digest for row in new}) == 20


def test_pictures_of_a_group_stay_on_one_side(version: Version, library: Library) -> None:
    latest = grown(library, version, replace(newcomers(), groups=np.arange(20) // 2))
    new = library.rows(latest)[40:]
    assert len({(row.group, row.split) for row in new}) == 10


def test_mean_deviation_and_features_are_those_of_all(version: Version, library: Library) -> None:
    removed = {number for number, row in enumerate(library.rows(version)) if row.split == "train"}
    fewer = change(library, version, {}, set(sorted(removed)[:5]))
    latest = grown(library, fewer)
    train = [row.row for row in library.rows(latest) if row.split == "train"]
    seen = library.pixels(latest)[train].double() / 255
    assert latest.mean == pytest.approx(seen.mean((0, 2, 3)).tolist(), abs=1e-4)
    assert latest.std == pytest.approx(seen.std((0, 2, 3), correction=0).tolist(), abs=1e-4)
    walk = describe(library.pixels(latest).numpy())
    with pytest.raises(StopIteration) as end:
        while True:
            next(walk)
    assert np.array_equal(library.features(latest), end.value.value)


def test_versions_whose_pixels_begin_alike_share_them(version: Version, library: Library) -> None:
    second = grown(library, version)
    without = change(library, second, {}, {number for number, row in enumerate(library.rows(second)) if row.label == 2})
    third = grown(library, without, newcomers(10))
    assert third.extends == (version.pixels, second.pixels)
    assert all(third.shares_pixels(one) and one.shares_pixels(third) for one in (version, second, without, third))
    assert revert(library, version).shares_pixels(second)
    other = grown(library, version, newcomers(12))
    assert not other.shares_pixels(second)


def test_a_version_that_has_grown_travels(version: Version, library: Library, tmp_path: Path) -> None:
    latest = grown(library, version)
    pack(library, latest, tmp_path / "packed.zip")
    elsewhere = Library(tmp_path / "elsewhere")
    with (tmp_path / "packed.zip").open("rb") as file:
        arrived = unpack(file, elsewhere).version
    assert (arrived.digest, arrived.extends) == (latest.digest, (version.pixels,))
    assert torch.equal(elsewhere.pixels(arrived), library.pixels(latest))


def test_who_stops_midway_leaves_the_library_as_it_was(version: Version, library: Library) -> None:
    files = sorted(library.folder.rglob("*"))
    for steps in range(1, 3):
        walk = grow(library, version, "none", newcomers())
        for _ in range(steps):
            next(walk)
        walk.close()
        assert sorted(library.folder.rglob("*")) == files
        assert library.versions("photos") == [version]


def test_what_fails_midway_leaves_the_library_as_it_was(
    version: Version, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    files = sorted(library.folder.rglob("*"))
    for part in ("write_pixels", "write_features"):
        with monkeypatch.context() as patch, pytest.raises(OSError, match="no space"):
            patch.setattr(growing, part, full)
            grown(library, version)
        assert sorted(library.folder.rglob("*")) == files


def test_what_cannot_become_a_class_is_refused(
    version: Version, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LayoutError, match="fewer than 3 pictures in 'none'"):
        grown(library, version, newcomers(2))
    with pytest.raises(PictureSetError, match="has a class 'None' already"):
        next(grow(library, version.model_copy(update={"classes": ("none", "dog")}), "None", newcomers()))
    monkeypatch.setattr(growing, "MAX_FILES", 59)
    with pytest.raises(PictureSetError, match="this makes 60 pictures; at most 59"):
        grown(library, version)
    assert library.numbers("photos") == [1]
