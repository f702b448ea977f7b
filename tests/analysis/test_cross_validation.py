from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

from cnnlab.analysis.cross_validation import FOLDS, METHODS, TooFewError, cross_validate, folds_of
from cnnlab.analysis.imagenet import call_by_imagenet
from cnnlab.data.datasets import own_pictures
from cnnlab.data.pictures.version import Version
from cnnlab.data.splits import Split
from cnnlab.training.recipes import RECIPES, Recipe
from tests.data.pictures.photos import added, photos, saved, scene, zip_of


def tinted(seed: int, colour: str) -> bytes:
    photo = scene(seed)
    return saved(Image.blend(photo, Image.new("RGB", photo.size, colour), 0.6))


@pytest.fixture
def version(tmp_path: Path) -> Version:
    files = {
        f"{colour}/{seed}.png": tinted(seed, colour) for seed in range(24) for colour in (("red", "blue")[seed % 2],)
    }
    return added(zip_of(files, tmp_path / "tints.zip"), own_pictures(), "tints").version


def split_of(labels: torch.Tensor, groups: torch.Tensor) -> Split:
    return Split(torch.zeros(len(labels), 3, 4, 4, dtype=torch.uint8), labels, None, groups)


def test_folds_have_the_same_share_of_each_class_and_never_divide_a_group() -> None:
    labels, groups = torch.arange(100) % 2, torch.arange(100) // 4
    folds = folds_of(split_of(labels, groups), seed=1)
    assert sorted(folds.unique().tolist()) == list(range(FOLDS))
    assert all(len(folds[groups == group].unique()) == 1 for group in groups.unique())
    assert all(abs((labels[folds == fold] == 0).float().mean() - 0.5) < 0.1 for fold in range(FOLDS))
    assert not torch.equal(folds, folds_of(split_of(labels, groups), seed=2))


def test_each_picture_is_judged_once_by_what_learned_from_others(
    version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("transfer", "transfer-best"):
        recipe = RECIPES[name]
        short = recipe.config.model_copy(update={"epochs": 2, "feature_copies": 1})
        monkeypatch.setitem(RECIPES, name, Recipe(name, recipe.title, short))
    steps = list(cross_validate(version.key))
    shares = [step.done for step in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert [one.method for one in steps[-1].results] == list(METHODS)
    assert all(one.images == version.train for one in steps[-1].results)
    nearest = steps[-1].results[0]
    assert nearest.right > 0.8 * nearest.images


def test_too_few_pictures_are_told_class_by_class(tmp_path: Path) -> None:
    few = photos(("cat",), each=12) | photos(("dog",), each=4)
    version = added(zip_of(few, tmp_path / "few.zip"), own_pictures(), "few").version
    with pytest.raises(TooFewError, match="dog"):
        list(cross_validate(version.key))


def test_imagenets_network_has_a_name_for_each_picture(version: Version) -> None:
    *_, last = call_by_imagenet(version.key)
    assert [(one.label, one.images) for one in last.classes] == [("blue", 10), ("red", 10)]
    assert all(1 <= count <= one.images for one in last.classes for _, count in one.names)


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    """Trainings set the threads of the process they run in."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
