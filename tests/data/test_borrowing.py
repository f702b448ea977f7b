from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from cnnlab.data.borrowing import Fitted, borrow, lenders, usual_count
from cnnlab.data.datasets import dataset_spec, own_pictures
from cnnlab.data.loading import load_train
from cnnlab.data.pictures.editing import change
from cnnlab.data.pictures.version import PictureSetError, Version
from cnnlab.data.splits import Split
from tests.data.pictures.photos import added, folder_of, photos


def made(folder: Path, name: str, classes: tuple[str, ...], **how: object) -> Version:
    files = photos(classes, **how)  # type: ignore[arg-type]
    return added(folder_of(files, folder / name), own_pictures(), name, size=40).version


@pytest.fixture
def pets(tmp_path: Path) -> Version:
    return made(tmp_path, "pets", ("cat", "dog"), each=12)


def grown(version: Version, lender: str, seed: int = 0) -> Version:
    *_, latest = borrow(own_pictures(), version, dataset_spec(lender), "none", seed)
    assert isinstance(latest, Version)
    return latest


def lent(version: Version) -> list[int]:
    """The numbers in the other set of the pictures that it lent."""
    rows = own_pictures().rows(version)
    return [int(row.path.rpartition("-")[2]) for row in rows if row.path.startswith("none/")]


def test_sets_on_this_machine_lend_those_most_alike_first(
    pets: Version, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "no-downloads"))
    colour = made(tmp_path, "birds", ("crow", "owl"))
    grey = made(tmp_path, "scans", ("map", "text"), grey=True)
    made(tmp_path, "same", ("Cat", "DOG"))
    assert [spec.name for spec in lenders(pets)] == [colour.key, grey.key, "mnist-sample"]
    assert [spec.shape[0] for spec in lenders(grey)] == [1, 3, 3, 3]


def test_a_sample_has_the_same_share_of_every_class_and_as_many_as_the_median_class(pets: Version) -> None:
    latest = grown(pets, "mnist-sample")
    assert usual_count(own_pictures(), pets) == 12
    assert latest.change == "12 of none added, from version 1"
    digits = load_train("mnist-sample")
    counts = Counter(digits.labels[lent(latest)].tolist())
    assert len(counts) == 10
    assert max(counts.values()) <= 2
    assert lent(latest) == lent(grown(pets, "mnist-sample")) != lent(grown(pets, "mnist-sample", seed=1))
    images = own_pictures().pixels(latest)[24:]
    assert images.shape == (12, 3, 40, 40)
    assert torch.equal(images[:, 0], images[:, 2])


def test_classes_that_both_have_lend_none(pets: Version, tmp_path: Path) -> None:
    mixed = made(tmp_path, "mixed", ("CAT", "crow", "owl"), each=12)
    latest = grown(pets, mixed.key)
    names = load_train(mixed.key).labels[lent(latest)]
    assert {mixed.classes[label] for label in names.tolist()} == {"crow", "owl"}
    same = made(tmp_path, "same", ("Cat", "DOG"))
    with pytest.raises(PictureSetError, match="has no class that Pets"):
        grown(pets, same.key)


def test_pictures_of_a_group_in_the_other_set_stay_together(pets: Version, tmp_path: Path) -> None:
    bursts = {
        f"bird/burst-{number % 4}/{path[-5:]}": file
        for number, (path, file) in enumerate(photos(("bird",), each=12).items())
    }
    other = added(folder_of(bursts | photos(("owl",), each=12), tmp_path / "in"), own_pictures(), "birds").version
    groups = load_train(other.key).groups
    assert groups is not None
    latest = grown(pets, other.key)
    new = [row.group for row in own_pictures().rows(latest) if row.path.startswith("none/")]
    assert len(set(new)) == len(set(groups[lent(latest)].tolist())) < len(new)


def test_a_set_that_has_fewer_lends_all(pets: Version, tmp_path: Path) -> None:
    small = made(tmp_path, "small", ("crow", "owl"), each=4)
    assert grown(pets, small.key).change == f"{small.train} of none added, from version 1"


def test_a_grown_version_is_changed_like_any_other(pets: Version) -> None:
    latest = grown(pets, "mnist-sample")
    rows = own_pictures().rows(latest)
    back = change(own_pictures(), latest, {}, {number for number, row in enumerate(rows) if row.label == 2})
    assert (back.classes, back.train, back.test) == (pets.classes, pets.train, pets.test)


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 28), (1, 40), (3, 90)])
def test_images_are_fitted_to_any_shape(channels: int, size: int) -> None:
    plain = torch.tensor([200, 100, 50], dtype=torch.uint8)[:, None, None].expand(100, 3, 40, 40)
    fitted = Fitted(Split(plain, torch.zeros(100)), (channels, size, size))[10:90]
    assert fitted.shape == (80, channels, size, size)
    wanted = [124] if channels == 1 else [200, 100, 50]
    assert np.unique(fitted.transpose(1, 0, 2, 3).reshape(channels, -1), axis=1).ravel().tolist() == wanted
