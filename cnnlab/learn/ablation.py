"""Ablation: add single parts to a plain training, or remove them from a full one, over several seeds."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, get_args

from cnnlab.data.datasets import dataset_spec
from cnnlab.learn.guesses import Ask, Guessable
from cnnlab.learn.repeats import Repeats, outcome_of, repeat, train_and_judge
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.layers import Activation, BatchNorm2d, Conv2d, Dropout, Flatten, Layer, Linear, MaxPool2d
from cnnlab.training.config import RunConfig
from cnnlab.training.loop import fit
from cnnlab.training.run_data import load_for, network_for

Part = Literal[
    "augmentation",
    "batch norm",
    "dropout",
    "weight decay",
    "TrivialAugment",
    "mixup",
    "CutMix",
    "weight average",
    "gradient clipping",
    "warm-up",
]
Way = Literal["add", "remove"]

WIDTHS = (16, 32)  # filters of the convolutions
IMAGES = (250, 500, 1000, 2500, 4000)  # training images; at least 500 of the sample's 4,500 remain for validation
SETTINGS: dict[Part, dict[str, Any]] = {  # fields of a RunConfig; the other parts are layers
    "augmentation": {"augmentation": "affine"},
    "weight decay": {"weight_decay": 0.1},  # ten times AdamW's default, for so few images
    "TrivialAugment": {"augmentation": "trivial"},
    "mixup": {"mixup": 0.2},
    "CutMix": {"cutmix": 1.0},
    "weight average": {"weight_average": 0.9},  # reaches back some 10 steps, an epoch of 250 images
    "gradient clipping": {"gradient_clipping": 1.0},
    "warm-up": {"schedule": "cosine", "warmup_epochs": 2},  # one-cycle, which all others have, warms up by itself
}
USUAL: tuple[Part, ...] = ("augmentation", "batch norm", "dropout", "weight decay")
_WHOLE = dataset_spec("mnist-sample").sizes[0]
_TIMED = 128  # images of the training whose speed is measured


@dataclass(frozen=True)
class Terms:
    """Settings of an ablation."""

    way: Way = "add"
    parts: tuple[Part, ...] = USUAL
    images: int = 250
    epochs: int = 20
    seeds: int = 5

    @property
    def arms(self) -> dict[str, frozenset[Part]]:
        """Parts of each training by its name, the baseline first."""
        whole = frozenset(self.parts)
        if self.way == "add":
            return {"plain": frozenset(), **{f"+ {part}": frozenset({part}) for part in self.parts}}
        return {"all": whole, **{f"− {part}": whole - {part} for part in self.parts}}

    @property
    def exclude_each_other(self) -> bool:
        """Whether two of the parts are values of the same setting, so that no training has both."""
        return self.way == "remove" and {"augmentation", "TrivialAugment"} <= set(self.parts)

    @property
    def judged_on(self) -> int:
        """Number of validation images: those not trained on, at most half of all. Test images are never used."""
        return min(_WHOLE // 2, _WHOLE - self.images)

    def config(self, parts: frozenset[Part], seed: int) -> RunConfig:
        """Build the config of one dot; Train gives the same result with it.

        The splits follow the seed too, so that the spread of an accuracy includes the choice of images
        (Bouthillier et al. 2021).
        """
        held_out = self.judged_on / _WHOLE
        fields: dict[str, Any] = {"augmentation": "none", "weight_decay": 0.0}
        for part in get_args(Part):
            fields |= SETTINGS.get(part, {}) if part in parts else {}
        return RunConfig(
            architecture=network(parts),
            epochs=self.epochs,
            batch_size=32,
            validation_fraction=held_out,
            train_fraction=self.images / (_WHOLE - self.judged_on),
            seed=seed,
            **fields,
        )


def network(parts: frozenset[Part]) -> Architecture:
    """Build two convolutions and a linear layer; ``parts`` may add batch norm and dropout."""
    layers: list[Layer] = []
    for width in WIDTHS:
        norm = [BatchNorm2d()] if "batch norm" in parts else []
        layers += [Conv2d(out_channels=width, padding=1), *norm, Activation(), MaxPool2d()]
    dropout = [Dropout(p=0.5)] if "dropout" in parts else []
    layers += [Flatten(), *dropout, Linear(out_features="classes")]
    with_layers = sorted(parts - SETTINGS.keys())
    return Architecture(
        name="-".join(["two-convolutions", *(part.replace(" ", "-") for part in with_layers)]),
        title=" with ".join(filter(None, ("Two convolutions", " and ".join(with_layers)))),
        layers=tuple(layers),
    )


def ablate(terms: Terms) -> Generator[Repeats]:
    """Train every arm under the first seed, then all under the next; yield the accuracies so far."""

    def train(name: str, seed: int) -> Generator[float, None, float]:
        config = terms.config(terms.arms[name], seed)
        data = load_for(config)
        return train_and_judge(network_for(config, data.spec), data, config)

    return repeat(terms, list(terms.arms), terms.seeds, train)


def images_per_second() -> float:
    """Measure training speed with all costly parts on this machine, on one epoch after a warm-up; takes 0.1 s."""
    costly = frozenset(get_args(Part)) - {"warm-up"}  # which takes no time, but more than two epochs
    config = Terms(way="remove", images=_TIMED, epochs=2).config(costly, seed=0)
    data = load_for(config)
    glanced = replace(data, validation=data.validation.part(slice(1)))
    return [event for event in fit(network_for(config, data.spec), glanced, config) if event.kind == "epoch"][
        -1
    ].images_per_second


def to_guess(terms: Terms) -> Guessable[Repeats]:
    """Ask which part matters most."""
    asks = {
        "add": "One part is added to plain training. Which one helps most, and by how many points?",
        "remove": "One part is taken away. Without which one does accuracy fall most, and by how many points?",
    }
    ask = Ask(f"ablation {terms}", asks[terms.way], tuple(terms.arms)[1:], "By how many points?")
    return Guessable(ask, partial(outcome_of, is_removal=terms.way == "remove"))
