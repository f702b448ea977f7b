"""Trainings with a planted fault, and healthy ones of many recipes, for the benchmark of diagnoses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from cnnlab.data.loading import Data
from cnnlab.data.splits import Split
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.layers import Activation, Conv2d, Flatten, Layer, Linear, MaxPool2d
from cnnlab.networks.presets import PRESETS
from cnnlab.training.config import RunConfig, parse_config

DATASETS = ("mnist", "fashion-mnist")
Fields = dict[str, Any]


def as_it_is(data: Data) -> Data:
    """Spoil nothing."""
    return data


def untouched(network: nn.Module) -> None:
    """Damage nothing."""


@dataclass(frozen=True)
class Planted:
    """A training with a fault: ``fields`` is what makes its config differ from the healthy one."""

    fault: str  # empty: healthy
    healthy: RunConfig
    fields: Mapping[str, object] = field(default_factory=dict)
    spoil: Callable[[Data], Data] = as_it_is
    damage: Callable[[nn.Module], None] = untouched  # of the first weights
    rates: Mapping[int, float] = field(default_factory=dict)  # epoch → factor of its learning rate, set by hand

    @property
    def begins(self) -> int:
        """The first epoch with the fault."""
        return min((epoch for epoch, factor in self.rates.items() if factor != 1), default=1)

    @property
    def config(self) -> RunConfig:
        """The config with the fault."""
        return parse_config(dict(self.healthy) | dict(self.fields))


def faulty(fault: str, number: int, seed: int, attempt: int = 0) -> Planted:
    """Return the ``number``-th training with a fault; the rest decides recipe and strength, the data sets alternate."""
    draws = Random(f"{seed} {fault} {number} {attempt}")
    return FAULTS[fault](draws, {"dataset": DATASETS[number % 2], "seed": draws.randrange(10_000)})


PLAIN = ("basic-cnn", "classification-snippet", "seven-step-mnist", "fashion-part-3", "conv2d-tour")
NORMED = ("lean", "quick", "compact", "small-vgg", "small-resnet")
SLOW = ("conv2d-tour", "compact", "small-vgg", "small-resnet")


def _recipe(draws: Random, fixed: Fields, networks: tuple[str, ...] = (*PLAIN, *NORMED, "lenet-5")) -> RunConfig:
    """Draw a recipe that people use and that works."""
    network = fixed.pop("network", None) or draws.choice(networks)
    is_plain = network not in NORMED
    optimizer = draws.choice(["sgd", "adam", "adamw", "rmsprop"] if is_plain else ["sgd", "adam", "adamw"])
    low, high = {
        "sgd": (0.02, 0.05) if is_plain else (0.02, 0.2),
        "rmsprop": (3e-4, 1e-3),
    }.get(optimizer, (7e-4, 2e-3) if is_plain else (1e-3, 1e-2))
    images = draws.choice([1_500, 2_000] if network in SLOW else [1_500, 2_000, 3_000, 4_000])
    fields: Fields = {
        "architecture": PRESETS[network],
        "optimizer": optimizer,
        "momentum": 0.0 if optimizer == "rmsprop" else 0.9,
        "learning_rate": low * (high / low) ** draws.random(),
        "schedule": draws.choice(["constant", "cosine", "one-cycle"]),
        "batch_size": draws.choice([32, 64, 128] if images > 2_000 else [32, 64]),
        "weight_decay": draws.choice([0.0, 1e-4, 1e-2]) if optimizer == "adamw" else draws.choice([0.0, 1e-4]),
        "augmentation": draws.choice(["none", "none", "auto", "shift"]),
        "label_smoothing": draws.choice([0.0, 0.0, 0.1]),
        "normalise": draws.choice(["standard", "unit", "symmetric"]),
        "epochs": draws.choice([4, 5, 6]),
        "validation_fraction": 0.02,
        "train_fraction": images / 58_800,
        "precision": "float32",
        "device": "cpu",
        "threads": 1,
    }
    return parse_config(fields | fixed)


def _rate_too_high(draws: Random, fixed: Fields) -> Planted:
    config = _recipe(draws, fixed)
    factor = {"sgd": 100, "rmsprop": 100}.get(config.optimizer, 100) * 10 ** (0.5 * draws.random())
    return Planted("rate-too-high", config, {"learning_rate": min(10.0, config.learning_rate * factor)})


def _rate_too_low(draws: Random, fixed: Fields) -> Planted:
    config = _recipe(draws, fixed)
    factor = 10 ** -(2 + 0.7 * draws.random())
    return Planted("rate-too-low", config, {"learning_rate": config.learning_rate * factor})


def _dead_units(draws: Random, fixed: Fields) -> Planted:
    """Kill units by an epoch of far too high a rate, or by weights that were brought with low biases."""
    config = _recipe(draws, {**fixed, "label_smoothing": 0.0}, PLAIN)
    if draws.random() < 0.5:
        return Planted("dead-units", config, rates={2: draws.uniform(80, 200)})
    below = draws.uniform(1.5, 4.0)

    def damage(network: nn.Module) -> None:
        with torch.no_grad():
            for module in list(network.modules())[:-1]:
                if isinstance(module, nn.Conv2d) and module.bias is not None:
                    module.bias -= below

    return Planted("dead-units", config, damage=damage)


def _exploding(draws: Random, fixed: Fields) -> Planted:
    config = _recipe(draws, fixed, PLAIN)
    spread = draws.uniform(0.5, 1.0)
    return Planted("exploding", config, {"architecture": _with_init(config.architecture, "normal", spread)})


def _vanishing(draws: Random, fixed: Fields) -> Planted:
    """A chain of sigmoids, or first weights that are next to nothing."""
    if draws.random() < 0.5:
        return _deep_sigmoid(draws, fixed)
    config = _recipe(draws, fixed, ("seven-step-mnist", "fashion-part-3", "conv2d-tour"))
    spread = draws.uniform(2e-4, 1e-3)
    return Planted("vanishing", config, {"architecture": _with_init(config.architecture, "normal", spread)})


def _deep_sigmoid(draws: Random, fixed: Fields) -> Planted:
    widths, depth = (16, 32), draws.choice([2, 3])

    def network(function: str) -> Architecture:
        act = Activation.model_validate({"function": function})
        pairs = [
            layer for width in widths for layer in (*(Conv2d(out_channels=width, padding=1), act) * depth, MaxPool2d())
        ]
        return _own([*pairs, Flatten(), Linear(out_features=64), act, Linear(out_features="classes")])

    config = _recipe(draws, {**fixed, "architecture": network("relu")})
    return Planted("vanishing", config, {"architecture": network("sigmoid")})


def _overfitting(draws: Random, fixed: Fields) -> Planted:
    config = _recipe(
        draws, {**fixed, "augmentation": "none", "schedule": "constant", "label_smoothing": 0.0, "epochs": 6}
    )
    few = draws.choice([150, 250, 400]) / 58_800
    epochs = 40
    return Planted("overfitting", config, {"train_fraction": few, "epochs": epochs, "batch_size": 32})


def _shuffled_labels(draws: Random, fixed: Fields) -> Planted:
    config, seed = _recipe(draws, fixed), draws.randrange(10_000)
    with_validation = draws.random() < 0.5

    def spoil(data: Data) -> Data:
        train = _relabelled(data.train, seed)
        validation = _relabelled(data.validation, seed) if with_validation else data.validation
        return replace(data, train=train, validation=validation)

    return Planted("shuffled-labels", config, spoil=spoil)


def _imbalance(draws: Random, fixed: Fields) -> Planted:
    config = _recipe(draws, fixed)
    rare, share = draws.sample(range(10), draws.choice([3, 4, 5])), draws.uniform(0.01, 0.03)

    def spoil(data: Data) -> Data:
        return replace(data, train=_thinned(data.train, rare, share), validation=_thinned(data.validation, rare, 0.1))

    return Planted("imbalance", config, spoil=spoil)


def _unscaled_inputs(draws: Random, fixed: Fields) -> Planted:
    """Pictures that are nearly black, or nearly white, on a scale that suits neither."""
    config = _recipe(draws, {**fixed, "normalise": "unit"}, (*PLAIN, "lenet-5"))
    divisor, offset = draws.choice([16, 20, 25]), draws.choice([0, 0, 240])

    def spoil(data: Data) -> Data:
        splits = {name: _dimmed(getattr(data, name), divisor, offset) for name in ("train", "validation", "test")}
        pixels = splits["train"].images.float() / 255
        spec = replace(data.spec, mean=(pixels.mean().item(),), std=(pixels.std().item(),))
        return Data(spec=spec, **splits)

    return Planted("unscaled-inputs", config, spoil=spoil)


def _too_small(draws: Random, fixed: Fields) -> Planted:
    config = _recipe(draws, fixed, ("basic-cnn", "classification-snippet", "lean", "quick"))
    return Planted("too-small", config, {"architecture": _narrowed(config.architecture, draws.choice([1, 2]))})


def _ends_early(draws: Random, fixed: Fields) -> Planted:
    config = _recipe(draws, {**fixed, "schedule": "constant", "epochs": 6, "train_fraction": 1_500 / 58_800}, PLAIN)
    fields = {"schedule": "step", "step_epochs": 1, "step_factor": draws.uniform(0.005, 0.03)}
    return Planted("ends-early", config, fields)


FAULTS: dict[str, Callable[[Random, Fields], Planted]] = {
    "rate-too-high": _rate_too_high,
    "rate-too-low": _rate_too_low,
    "dead-units": _dead_units,
    "exploding": _exploding,
    "vanishing": _vanishing,
    "overfitting": _overfitting,
    "shuffled-labels": _shuffled_labels,
    "imbalance": _imbalance,
    "unscaled-inputs": _unscaled_inputs,
    "too-small": _too_small,
    "ends-early": _ends_early,
}


def _own(layers: list[Layer]) -> Architecture:
    return Architecture(name="planted", title="Planted", layers=tuple(layers))


def _with_init(architecture: Architecture, init: str, spread: float) -> Architecture:
    return _own(
        [
            layer.model_copy(update={"init": init, "spread": spread}) if hasattr(layer, "init") else layer
            for layer in architecture.layers
        ]
    )


def _narrowed(architecture: Architecture, filters: int) -> Architecture:
    """Leave each convolution so many filters, and pool their maps down to a single pixel or four."""
    narrow = [
        layer.model_copy(update={"out_channels": filters}) if isinstance(layer, Conv2d) else layer
        for layer in architecture.layers
    ]
    flatten = next(at for at, layer in enumerate(narrow) if isinstance(layer, Flatten))
    return _own([*narrow[:flatten], MaxPool2d(), *narrow[flatten:]])


def _relabelled(split: Split, seed: int) -> Split:
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(seed))
    return replace(split, labels=split.labels[order])


def _thinned(split: Split, rare: list[int], share: float) -> Split:
    keep = torch.ones(len(split), dtype=torch.bool)
    for label in rare:
        members = (split.labels == label).nonzero().flatten()
        keep[members[max(2, round(len(members) * share)) :]] = False
    return split.part(keep)


def _dimmed(split: Split, divisor: int, offset: int) -> Split:
    pixels: Tensor = split.images // divisor + min(offset, 255 - 255 // divisor)
    return Split(pixels, split.labels)
