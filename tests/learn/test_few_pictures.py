"""Few pictures: what each training is, that it learns from as many as asked, and that Train would give the same."""

from __future__ import annotations

from dataclasses import replace
from math import isnan

import pytest

from cnnlab.data.datasets import DATASETS, dataset_spec
from cnnlab.learn.few_pictures import (
    LARGEST,
    MANY_STEPS,
    NUMBERS,
    RECIPE_OF,
    WAYS,
    Arm,
    Compared,
    Terms,
    Way,
    compare,
    possible_numbers,
    suitable,
)
from cnnlab.networks.layers import Resize
from cnnlab.pretrained.weights import published, take_weights
from cnnlab.training.config import RunConfig
from cnnlab.training.config_link import from_query, to_query
from cnnlab.training.loop import Training
from cnnlab.training.recipes import RECIPES
from cnnlab.training.run_data import load_for, network_for


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recipes of one epoch and one variant of each image, judged on few images."""
    monkeypatch.setattr("cnnlab.learn.few_pictures.JUDGED", 50)
    monkeypatch.setitem(MANY_STEPS, "epochs", 1)
    for name in RECIPE_OF.values():
        config = RECIPES[name].config.model_copy(update={"epochs": 1, "feature_copies": 1})
        monkeypatch.setitem(RECIPES, name, replace(RECIPES[name], config=config))


def described(monkeypatch: pytest.MonkeyPatch, **fields: object) -> str:
    """The name of a data set that is described, not there."""
    spec = replace(dataset_spec("mnist-sample"), name="described", **fields)  # type: ignore[arg-type]
    monkeypatch.setitem(DATASETS, spec.name, spec)
    return spec.name


@pytest.mark.parametrize("number", NUMBERS)
def test_as_many_pictures_of_each_class_as_asked_are_learned_from_and_others_judge(number: int) -> None:
    data = load_for(Terms().config(Arm("frozen", number), seed=1))
    assert data.train.labels.bincount().tolist() == [number] * 10
    assert len(data.validation) == Terms().judged_on == 500
    seen = {image.numpy().tobytes() for image in data.train.images}
    assert not any(image.numpy().tobytes() in seen for image in data.validation.images)


@pytest.mark.parametrize("way", WAYS)
def test_a_way_is_its_recipe_and_has_a_link(way: Way) -> None:
    config = Terms().config(Arm(way, 10), seed=2)
    recipe = RECIPES[RECIPE_OF[way]].config
    assert (config.start, config.learn_from) == (recipe.start, recipe.learn_from)
    assert config.augmentation == "auto"
    assert RunConfig.model_validate(dict(config)) == config
    assert from_query(to_query(config)) == config


def test_all_ways_learn_from_the_same_pictures() -> None:
    one, *others = (Terms().config(Arm(way, 10), seed=2) for way in WAYS)
    splits = ("dataset", "validation_fraction", "train_fraction", "held_out_by")
    for other in others:
        assert all(getattr(one, name) == getattr(other, name) for name in splits)


def test_from_scratch_large_pictures_shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Terms().config(Arm("from scratch", 10), seed=0).architecture
    terms = Terms(described(monkeypatch, shape=(3, 224, 224)))
    large = terms.config(Arm("from scratch", 10), seed=0).architecture
    assert large.layers == (Resize(size=LARGEST), *small.layers)


def test_numbers_are_those_that_a_data_set_has_beside_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    assert possible_numbers("mnist-sample") == NUMBERS
    assert possible_numbers(described(monkeypatch, sizes=(400, 0))) == (10, 20)  # half of them judge
    assert possible_numbers(described(monkeypatch, sizes=(100, 0))) == ()
    assert possible_numbers(described(monkeypatch, sizes=(200_000, 0))) == (20, 50, 100)  # a config's least share


def test_data_sets_that_are_here_and_have_enough_pictures_suit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert suitable()[0] == "mnist-sample"
    assert described(monkeypatch, sizes=(400, 0)) in suitable()
    assert described(monkeypatch, sizes=(100, 0)) not in suitable()
    assert described(monkeypatch, files=("nowhere",)) not in suitable()


def test_an_accuracy_is_the_one_that_the_same_config_trains_to(short: None) -> None:
    terms = Terms(numbers=(10, 20), seeds=1)
    *_, last = compare(terms)
    assert last.done == 1
    assert list(last.accuracies) == ["from scratch, 10", "frozen, 10", "from scratch, 20", "frozen, 20"]
    for name, (accuracy,) in last.accuracies.items():
        config = terms.config(terms.arms[name], seed=0)
        data = load_for(config)
        network = network_for(config, data.spec)
        started = take_weights(network, published(config.start.name)) if config.start else []
        epochs = [one for one in Training(network, data, config, started=started).events() if one.kind == "epoch"]
        assert accuracy == epochs[-1].validation_accuracy


def test_progress_never_falls_and_fine_tuning_is_judged_too(short: None) -> None:
    steps = list(compare(Terms(ways=("fine-tuned",), numbers=(10,), seeds=1)))
    done = [step.done for step in steps]
    assert done == sorted(done)
    assert 0 <= done[0] < 0.5 < done[-2] <= done[-1] == 1
    (point,) = steps[-1].points
    assert (point.way, point.number, point.seeds) == ("fine-tuned", 10, 1)
    assert 0 < point.mean < 1


def test_points_are_of_the_seeds_so_far() -> None:
    names = list(Terms().arms)
    accuracies: dict[str, tuple[float, ...]] = {names[0]: (0.5, 0.7), names[1]: (0.8,), names[2]: (), names[3]: ()}
    first, second = Compared(Terms(), 0.4, accuracies).points
    assert first[:3] == ("from scratch", 10, 2)
    assert (first.mean, first.sd) == pytest.approx((0.6, 0.02**0.5))
    assert second[:3] == ("frozen", 10, 1)
    assert isnan(second.sd)
