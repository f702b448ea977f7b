from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cnnlab.data.borrowing import borrow
from cnnlab.data.datasets import dataset_spec, own_pictures
from cnnlab.data.pictures.editing import change
from cnnlab.data.pictures.version import PictureSetError, Version
from cnnlab.runs.data_changes import effect_of_change
from cnnlab.runs.trained import Trained, load_trained
from tests.data.pictures.photos import added, folder_of, photos
from tests.trainings import train


@pytest.fixture
def version(tmp_path: Path) -> Version:
    return added(folder_of(photos(each=12), tmp_path / "in"), own_pictures()).version


class Always(torch.nn.Sequential):
    """A network that always names one class."""

    def __init__(self, answer: int) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.eye(2)[self.answer].expand(len(images), 2)


def always(version: Version, name: str) -> Trained:
    trained = load_trained(train(dataset=version.key, architecture="quick"))
    return replace(trained, network=Always(version.classes.index(name)).eval())


def test_networks_of_two_versions_are_asked_by_the_newer_labels_about_what_both_have(version: Version) -> None:
    rows = own_pictures().rows(version)
    tests = [number for number, row in enumerate(rows) if row.split == "test"]
    cats = [number for number in tests if version.classes[rows[number].label] == "cat"]
    removed = next(number for number in tests if number not in cats)
    new = change(own_pictures(), version, {cats[0]: "dog"}, {removed})
    effect = effect_of_change(version, new, always(version, "cat"), always(version, "dog"))
    assert len(effect.before) == len(tests) - 1
    assert effect.before.sum() == len(cats) - 1
    assert effect.after.sum() == len(tests) - len(cats)
    assert effect.comparison.only_first == effect.before.sum()


def test_a_version_with_a_class_more_is_compared_on_the_older_pictures(version: Version) -> None:
    *_, new = borrow(own_pictures(), version, dataset_spec("mnist-sample"), "none")
    assert isinstance(new, Version)
    before = always(version, "cat")
    effect = effect_of_change(version, new, before, replace(before, classes=new.classes))
    assert len(effect.before) == version.test < new.test
    assert effect.before.tolist() == effect.after.tolist()
    assert 0 < effect.before.sum() < version.test


def test_versions_of_other_pictures_are_not_compared(version: Version, tmp_path: Path) -> None:
    other = added(folder_of(photos(each=14), tmp_path / "more"), own_pictures()).version
    cat = always(version, "cat")
    with pytest.raises(PictureSetError, match="added again"):
        effect_of_change(version, other, cat, cat)
