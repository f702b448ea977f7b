from __future__ import annotations

import pytest

from cnnlab.data.datasets import DATASETS
from cnnlab.networks.architecture import summarise
from cnnlab.networks.presets import PRESETS
from cnnlab.training.config import RunConfig
from cnnlab.training.recipes import DEFAULT, RECIPES


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_names_what_there_is_and_fits(name: str) -> None:
    config = RECIPES[name].config
    spec = DATASETS[config.dataset]
    assert summarise(config.architecture, spec.shape, len(spec.classes))[-1].output_shape == (len(spec.classes),)


def test_the_default_recipe_changes_only_what_makes_it_quick() -> None:
    config, plain = RECIPES[DEFAULT].config, RunConfig()
    assert {name for name in RunConfig.model_fields if getattr(config, name) != getattr(plain, name)} == {
        "architecture",
        "epochs",
        "label_smoothing",
        "weight_average",
    }


def test_the_default_network_does_a_fifth_of_the_work_of_compact() -> None:
    lean, compact = (sum(row.macs for row in summarise(PRESETS[name], (1, 28, 28), 10)) for name in ("lean", "compact"))
    assert 4.5 < compact / lean < 5


@pytest.mark.parametrize(
    ("name", "batch", "rate", "epochs", "normalise"),
    [
        ("seven-step-mnist", 32, 3e-4, 20, "standard"),
        ("fashion-part-3", 32, 1e-3, 10, "unit"),
        ("conv2d-tour", 32, 1e-3, 15, "unit"),
        ("classification-snippet", 64, 1e-3, 3, "symmetric"),
        ("basic-cnn", 64, 1e-3, 5, "unit"),
    ],
)
def test_a_tutorials_recipe_is_its_own(name: str, batch: int, rate: float, epochs: int, normalise: str) -> None:
    config = RECIPES[name].config
    assert config.architecture == PRESETS[name]
    assert (config.batch_size, config.learning_rate, config.epochs, config.normalise) == (
        batch,
        rate,
        epochs,
        normalise,
    )
    assert (config.optimizer, config.augmentation) == ("adam", "none")
    assert config.schedule == ("cosine" if name == "fashion-part-3" else "constant")
