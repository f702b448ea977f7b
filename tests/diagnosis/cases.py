"""A healthy case, to which tests add what ails it."""

from __future__ import annotations

from typing import Any

from cnnlab.diagnosis.case import Case
from cnnlab.diagnosis.facts import DataFacts
from cnnlab.diagnosis.probe import LayerProbe, Probe, UnitProbe
from cnnlab.networks.presets import PRESETS
from cnnlab.training.config import RunConfig, parse_config
from cnnlab.training.history import History, Record

CLASSES = tuple("0123456789")
PLAIN = PRESETS["basic-cnn"]
FACTS = DataFacts(counts=(100,) * 10, agreement=0.85, chance=0.1, compared=1_000)


def healthy(**fields: object) -> RunConfig:
    """Adam at a rate that suits a network without norms, or with other ``fields``."""
    usual = {
        "architecture": PLAIN,
        "optimizer": "adam",
        "learning_rate": 1e-3,
        "schedule": "constant",
        "normalise": "unit",
        "augmentation": "none",
        "epochs": 10,
    }
    return parse_config({**usual, **fields})


def layers(*gradients: float, weight: float = 0.05) -> tuple[LayerProbe, ...]:
    return tuple(LayerProbe(name=f"conv{at}", weight=weight, gradient=one) for at, one in enumerate(gradients, 1))


def probe(epoch: int = 0, dead: float = 0.1, **fields: Any) -> Probe:
    usual: dict[str, Any] = {
        "epoch": epoch,
        "loss": 2.3,
        "accuracy": 0.1,
        "input_mean": 0.13,
        "input_std": 0.31,
        "layers": layers(0.002, 0.004, 0.01),
        "units": (UnitProbe(name="relu1", dead=dead),),
    }
    return Probe(**{**usual, **fields})


def epoch(number: int, train: float = 0.4, validation: float = 0.45, **fields: Any) -> Record:
    """The record of an epoch with these losses."""
    usual = {
        "epoch": number,
        "train_loss": train,
        "train_accuracy": 0.88,
        "validation_loss": validation,
        "validation_accuracy": 0.87,
        "per_class": [0.87] * 10,
        "learning_rate": 1e-3,
    }
    return usual | fields


STUCK = [epoch(1, 2.3, 2.3, train_accuracy=0.1, validation_accuracy=0.1)]


def case(**fields: Any) -> Case:
    """A healthy case after two epochs, with other ``fields``; ``epochs`` are those of its history."""
    epochs = fields.pop("epochs", [epoch(1), epoch(2, 0.3, 0.4)])
    usual: dict[str, Any] = {
        "config": healthy(),
        "shape": (1, 28, 28),
        "classes": CLASSES,
        "facts": FACTS,
        "history": History(epochs=epochs),
        "probes": [probe(), probe(2)],
    }
    return Case(**{**usual, **fields})
