"""Transfer: how much convolutions trained on the digits 0 to 4 help a network that learns 5 to 9 from few images.

After Yosinski et al. 2014 (arXiv:1411.1792): the layers are copied, the classes differ.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, get_args

from torch import nn

from cnnlab.data.datasets import dataset_spec
from cnnlab.data.loading import Data, hold_out_validation, load_test, load_train
from cnnlab.data.splits import Split
from cnnlab.learn.ablation import network
from cnnlab.learn.guesses import Ask, Guessable
from cnnlab.learn.repeats import Repeats, Training, outcome_of, repeat, train_and_judge
from cnnlab.training.config import RunConfig
from cnnlab.training.run_data import network_for

Start = Literal["from scratch", "copied", "copied and frozen", "random and frozen"]

STARTS: dict[Start, str] = {
    "from scratch": "all layers start with random weights and learn",
    "copied": "the convolutions start from training on 0 to 4; all layers learn",
    "copied and frozen": "the convolutions keep their weights from 0 to 4; only the last layer learns",
    "random and frozen": "the convolutions keep random weights; only the last layer learns",
}
IMAGES = (25, 50, 100, 250, 1000)  # training images of 5 to 9
SOURCE, TARGET = range(5), range(5, 10)
SOURCE_EPOCHS = 5
SOURCE_IMAGES, _TARGET_IMAGES = (
    dataset_spec("mnist-sample").sizes[0] * len(digits) // 10 for digits in (SOURCE, TARGET)
)
_HELD_OUT = 0.5  # of the target's images
_SOURCES = 16  # networks cached


@dataclass(frozen=True)
class Terms:
    """Settings of a transfer experiment."""

    images: int = 50
    epochs: int = 40
    seeds: int = 5

    @property
    def judged_on(self) -> int:
        """Number of validation images of 5 to 9."""
        return round(_HELD_OUT * _TARGET_IMAGES)

    def config(self, seed: int) -> RunConfig:
        """Build the target's config, the same for each start."""
        left = (1 - _HELD_OUT) * dataset_spec("mnist-sample").sizes[0] * len(TARGET) / 10
        return _config(
            self.epochs, seed, batch_size=16, validation_fraction=_HELD_OUT, train_fraction=self.images / left
        )


def transfer(terms: Terms) -> Generator[Repeats]:
    """Train 5 to 9 from each start, seed by seed, each seed with a source network of its own."""

    def train(name: str, seed: int) -> Training:
        config = terms.config(seed)
        data = task(TARGET, config)
        fresh = network_for(config, data.spec)
        prepare(fresh, name, seed)
        return train_and_judge(fresh, data, config)

    return repeat(terms, get_args(Start), terms.seeds, train)


def prepare(fresh: nn.Sequential, start: str, seed: int) -> None:
    """Copy the convolutions of ``start`` into an untrained network, and freeze them where ``start`` says so."""
    for name, module in fresh.named_children():
        if isinstance(module, nn.Conv2d):
            if start.startswith("copied"):
                module.load_state_dict(source(seed).get_submodule(name).state_dict())
            module.requires_grad_(not start.endswith("frozen"))


@lru_cache(maxsize=_SOURCES)
def source(seed: int) -> nn.Sequential:
    """Train a network on all digits 0 to 4 of the embedded sample; cached, so do not change it."""
    config = _config(SOURCE_EPOCHS, seed, batch_size=32, validation_fraction=0.01)
    data = task(SOURCE, config)
    taught = network_for(config, data.spec)
    for _ in train_and_judge(taught, data, config):
        pass
    return taught


def task(digits: range, config: RunConfig) -> Data:
    """Load the embedded sample with only ``digits``, split as the config says."""
    whole = dataset_spec("mnist-sample")
    spec = replace(whole, name=f"digits-{digits[0]}-to-{digits[-1]}", classes=tuple(map(str, digits)))
    images, test = (_only(digits, load(whole.name)) for load in (load_train, load_test))
    return hold_out_validation(
        spec, images, test, config.validation_fraction, config.held_out_by, config.train_fraction
    )


def _only(digits: range, split: Split) -> Split:
    chosen = split.part((split.labels >= digits[0]) & (split.labels <= digits[-1]))
    return Split(chosen.images, chosen.labels - digits[0])


def _config(epochs: int, seed: int, **fields: object) -> RunConfig:
    """Build the config of a plain training, so that only the start differs."""
    plain = {"architecture": network(frozenset()), "augmentation": "none", "weight_decay": 0.0}
    return RunConfig.model_validate({**plain, "epochs": epochs, "seed": seed, **fields})


def to_guess(terms: Terms) -> Guessable[Repeats]:
    """Ask which start helps most."""
    baseline, *others = get_args(Start)
    ask = Ask(
        f"transfer {terms}",
        f"Which start reads most of the digits 5 to 9, and how many points more than “{baseline}”?",
        tuple(others),
        "How many points more?",
    )
    return Guessable(ask, outcome_of)
