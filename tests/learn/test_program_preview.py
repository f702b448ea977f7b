from __future__ import annotations

from math import log

import pytest
import torch
import torch.nn.functional as F

from cnnlab.learn.program_preview import ASKED, first_look, optimiser_settings, versions
from cnnlab.networks.build import build
from cnnlab.training.config import RunConfig
from cnnlab.training.recipes import RECIPES
from cnnlab.training.run_data import load_for

CONFIG = RunConfig.model_validate({**RECIPES["basic-cnn"].config.model_dump(), "dataset": "mnist-sample"})


def test_versions_are_of_what_runs_here() -> None:
    assert versions()["PyTorch"] == torch.__version__
    assert int(versions()["Threads"]) >= 1


@pytest.mark.parametrize(("normalise", "lowest", "highest"), [("unit", 0, 1), ("symmetric", -1, 1)])
def test_the_splits_are_those_a_training_gets(normalise: str, lowest: float, highest: float) -> None:
    config = CONFIG.model_copy(update={"normalise": normalise, "validation_fraction": 0.1})
    data, (found, _) = load_for(config), first_look(config)
    assert found.images == {"training": len(data.train), "validation": len(data.validation), "test": len(data.test)}
    assert found.shape == (1, 1, 28, 28)
    assert (found.lowest, found.highest) == (lowest, highest)
    assert found.wall.shape == (3 * 28, 10 * 28)


def test_a_class_of_few_images_makes_the_wall_lower() -> None:
    few = CONFIG.model_copy(update={"train_fraction": 0.01, "validation_fraction": 0.5})
    assert first_look(few)[0].wall.shape == (2 * 28, 10 * 28)
    wall = 255 - first_look(few)[0].wall
    train = load_for(few).train
    assert (wall[:28, :28] == train.images[train.labels == 0][0, 0].numpy()).all()


def test_an_untrained_network_guesses() -> None:
    _, found = first_look(CONFIG)
    validation = load_for(CONFIG).validation.part(slice(ASKED))
    network = build(CONFIG.architecture, (1, 28, 28), 10, CONFIG.seed).eval()
    with torch.inference_mode():
        logits = network(validation.images / 255)
    assert found.loss == pytest.approx(F.cross_entropy(logits, validation.labels).item())
    assert found.loss == pytest.approx(found.by_chance, abs=0.1)
    assert found.by_chance == log(10)
    assert found.accuracy == (logits.argmax(1) == validation.labels).double().mean().item()
    assert list(found.logits.values()) == pytest.approx(logits[0].tolist(), abs=1e-5)
    assert found.label == str(validation.labels[0].item())
    assert first_look(CONFIG.model_copy(update={"seed": 1}))[1].logits != found.logits


def test_the_settings_are_those_of_pytorchs_optimiser() -> None:
    settings = optimiser_settings(CONFIG)
    assert settings["lr"] == "0.001"
    assert settings["betas"] == "(0.9, 0.999)"
    assert "params" not in settings
