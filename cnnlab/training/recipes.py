"""Recipes: complete run configurations by name; the app's default and the five tutorials'."""

from __future__ import annotations

from dataclasses import dataclass

from cnnlab.networks.presets import PRESETS
from cnnlab.pretrained.table import BACKBONES, NETWORKS
from cnnlab.training.config import RunConfig

DEFAULT = "lean"  # what Train begins with; links of earlier versions ask for "default"


@dataclass(frozen=True)
class Recipe:
    """A named RunConfig, and for a tutorial the test accuracy it must reach to meet its claim."""

    name: str
    title: str
    config: RunConfig
    claim: str = ""
    target: float | None = None  # test accuracy, a fraction


def _tutorial(name: str, claim: str, target: float | None, **fields: object) -> Recipe:
    """Return a recipe with the settings that the five tutorials share: Adam at a constant rate on plain images."""
    architecture = PRESETS[name]
    shared: dict[str, object] = {
        "architecture": architecture,
        "optimizer": "adam",
        "schedule": "constant",
        "weight_decay": 0.0,
        "augmentation": "none",
        # The tutorials train on all 60,000 and choose by the test set; holding out 1,200 costs them little accuracy.
        "validation_fraction": 0.02,
    }
    config = RunConfig.model_validate(shared | fields)
    return Recipe(name=name, title=architecture.title, config=config, claim=claim, target=target)


def _transfer(name: str, title: str, **fields: object) -> Recipe:
    """Return a recipe that starts from weights which were learned from a million photos."""
    backbone = BACKBONES["lite0"]
    shared: dict[str, object] = {
        "dataset": "cifar10",
        "architecture": NETWORKS[backbone.name],
        "start": backbone.name,
        "normalise": backbone.normalise,
    }
    return Recipe(name=name, title=title, config=RunConfig.model_validate(shared | fields))


_RECIPES = [
    Recipe(
        name=DEFAULT,
        title="CNN Lab default",
        config=RunConfig(
            architecture=PRESETS["lean"],  # a fifth of Compact's work in less than a third of its time
            epochs=38,  # a quarter of the time of 45 epochs of Compact, for a tenth of a point on MNIST
            label_smoothing=0.05,  # of images as varied as drawings 0.3 points more are read right; 0.1 gives no more
            weight_average=0.98,  # over some 50 steps: no better in the end, but after 5 seconds 3 points better
        ),
    ),
    Recipe(name="default", title="Compact: the default of earlier versions", config=RunConfig()),
    Recipe(
        name="quick",
        title="Quick: most accuracy for the least time",
        config=RunConfig(
            dataset="mnist",
            architecture=PRESETS["quick"],
            epochs=2,
            label_smoothing=0.1,  # the fewer the steps, the more it helps
            augmentation="none",  # improves accuracy only after several epochs
            validation_fraction=0.02,
        ),
    ),
    Recipe(
        name="best",
        title="Best: highest accuracy",
        config=RunConfig(
            dataset="mnist",
            architecture=PRESETS["accurate"],
            epochs=20,
            validation_fraction=0.02,
        ),
    ),
    Recipe(
        name="best-colour",
        title="Best colour: small photos",
        config=RunConfig(
            dataset="cifar10",
            architecture=PRESETS["colour"],
            epochs=40,
            weight_decay=0.05,  # photos are learned by heart sooner than digits
            label_smoothing=0.1,
            augmentation="trivial",  # colours and shapes vary more in photos than in digits
            mixup=0.2,
            weight_average=0.99,  # reaches back some 100 steps, an epoch of 13,000 images
            validation_fraction=0.05,
        ),
    ),
    _transfer(
        "transfer",
        "Transfer: from a few pictures",
        learn_from="linear1",  # the new one alone: a few pictures teach the others little
        epochs=20,  # which take a second where features are kept
        batch_size=64,
        learning_rate=0.005,
        augmentation="none",  # variants of each picture changed nothing within the spread of seeds
    ),
    _transfer(
        "transfer-best",
        "Transfer, best: blocks learn too",
        start_rate=0.3,
        learn_from="conv13",  # the blocks of 112 filters and all behind, three quarters of the work
        epochs=10,
        batch_size=24,  # ten pictures a class are four steps an epoch: with 32 there are too few
        learning_rate=0.003,
        label_smoothing=0.1,  # worth a point with 50 pictures a class
        augmentation="flip",
        feature_copies=3,
    ),
    _tutorial(
        "basic-cnn",
        "over 98% test",
        0.98,
        dataset="mnist",
        normalise="unit",
        batch_size=64,
        learning_rate=1e-3,
        epochs=5,
    ),
    _tutorial(
        "classification-snippet",
        "none given",
        None,
        dataset="mnist",
        normalise="symmetric",
        batch_size=64,
        learning_rate=1e-3,
        epochs=3,
    ),
    _tutorial(
        "seven-step-mnist",
        "none given",
        None,
        dataset="mnist",
        normalise="standard",
        batch_size=32,
        learning_rate=3e-4,
        epochs=20,
    ),
    _tutorial(
        "fashion-part-3",
        "over 91% test",
        0.91,
        dataset="fashion-mnist",
        normalise="unit",
        batch_size=32,
        learning_rate=1e-3,
        # Its constant rate ends at 90.5 % (seeds 0 and 1), short of its claim; decayed, the same rate meets it.
        schedule="cosine",
        epochs=10,
    ),
    _tutorial(
        "conv2d-tour",
        "82.59% test, its test images left unscaled",
        0.985,
        dataset="mnist",
        normalise="unit",
        batch_size=32,
        learning_rate=1e-3,
        epochs=15,
    ),
]
RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in _RECIPES}
