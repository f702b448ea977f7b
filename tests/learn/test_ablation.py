"""Ablations: what each training is, and that Train would give the same."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from cnnlab.learn.ablation import IMAGES, USUAL, Part, Terms, Way, ablate, images_per_second, network
from cnnlab.networks.presets import PRESETS
from cnnlab.training.config import RunConfig
from cnnlab.training.loop import fit
from cnnlab.training.run_data import load_for, network_for

PARTS: tuple[Part, ...] = get_args(Part)
PLAIN: frozenset[Part] = frozenset()


@pytest.mark.parametrize("way", get_args(Way))
def test_each_training_differs_from_the_baseline_in_one_part(way: Way) -> None:
    arms = list(Terms(way=way, parts=PARTS).arms.values())
    assert [arm ^ arms[0] for arm in arms[1:]] == [{part} for part in PARTS]
    assert arms[0] == (frozenset() if way == "add" else set(PARTS))


def test_a_training_has_one_augmentation() -> None:
    assert Terms("remove", ("augmentation", "TrivialAugment")).exclude_each_other
    assert not Terms("add", ("augmentation", "TrivialAugment")).exclude_each_other
    assert not Terms("remove", USUAL).exclude_each_other


def test_a_part_changes_its_setting_or_its_layers_and_nothing_else() -> None:
    plain = Terms().config(PLAIN, seed=3)
    changed = {part: differing(plain, Terms().config(frozenset({part}), seed=3)) for part in PARTS}
    assert changed == {
        "augmentation": {"augmentation"},
        "weight decay": {"weight_decay"},
        "batch norm": {"architecture"},
        "dropout": {"architecture"},
        "TrivialAugment": {"augmentation"},
        "mixup": {"mixup"},
        "CutMix": {"cutmix"},
        "weight average": {"weight_average"},
        "gradient clipping": {"gradient_clipping"},
        "warm-up": {"schedule", "warmup_epochs"},
    }
    assert plain.augmentation == "none"
    assert plain.weight_decay == 0


def differing(one: RunConfig, other: RunConfig) -> set[str]:
    return {name for name in RunConfig.model_fields if getattr(one, name) != getattr(other, name)}


def test_batch_norm_and_dropout_are_layers_of_the_plain_network() -> None:
    plain = network(PLAIN).layers
    assert plain == PRESETS["classification-snippet"].layers
    whole = network(frozenset(PARTS)).layers
    assert [layer.kind for layer in whole if layer not in plain] == ["batch-norm2d", "batch-norm2d", "dropout"]
    assert [layer for layer in whole if layer in plain] == list(plain)


@pytest.mark.parametrize("images", IMAGES)
def test_as_many_images_as_asked_are_learned_from_and_others_judge(images: int) -> None:
    terms = Terms(images=images)
    data = load_for(terms.config(PLAIN, seed=1))
    assert len(data.train) == pytest.approx(images, abs=5)  # whole images of each class
    assert len(data.validation) == terms.judged_on >= 500
    seen = {image.numpy().tobytes() for image in data.train.images}
    assert not any(image.numpy().tobytes() in seen for image in data.validation.images)


def test_an_accuracy_is_the_one_that_the_same_config_trains_to() -> None:
    terms = Terms(parts=("batch norm",), images=250, epochs=1, seeds=2)
    *_, last = ablate(terms)
    assert last.done == 1
    assert set(last.accuracies) == {"plain", "+ batch norm"}
    for name, accuracies in last.accuracies.items():
        for seed, accuracy in enumerate(accuracies):
            config = terms.config(terms.arms[name], seed)
            data = load_for(config)
            epochs = [event for event in fit(network_for(config, data.spec), data, config) if event.kind == "epoch"]
            assert accuracy == epochs[-1].validation_accuracy


def test_seeds_differ_in_their_weights_and_their_images() -> None:
    one, other = (Terms().config(PLAIN, seed) for seed in (0, 1))
    assert not torch.equal(load_for(one).train.images, load_for(other).train.images)
    first, second = (
        network_for(config, load_for(config).spec).get_parameter("conv1.weight") for config in (one, other)
    )
    assert not torch.equal(first, second)


def test_this_machine_is_timed() -> None:
    assert images_per_second() > 0
