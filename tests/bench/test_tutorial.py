from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cnnlab.bench import tutorial
from cnnlab.data.batches import Standardise, scaling
from cnnlab.data.loading import load
from cnnlab.evaluation.evaluate import evaluate
from cnnlab.networks.build import build
from cnnlab.training.recipes import RECIPES

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["basic-cnn", "classification-snippet", "seven-step-mnist", "fashion-part-3"])
def test_its_images_are_those_our_loop_gets(name: str, real_data: Path) -> None:
    config = RECIPES[name].config
    data = load(config.dataset, folder=real_data)
    standardise = Standardise(*scaling(data.spec, config.normalise))
    ours = {tuple(standardise(image.float() / 255).flatten().tolist()[300:400]) for image in data.train.images[:50]}
    with tutorial.training_set(config, real_data) as images:
        assert len(images) == 60_000  # type: ignore[arg-type]
        theirs = {tuple(images[number][0].flatten().tolist()[300:400]) for number in range(60)}
    rounded = {tuple(round(value, 4) for value in pixels) for pixels in theirs}
    assert {tuple(round(value, 4) for value in pixels) for pixels in ours} & rounded


def test_it_learns_and_tells_the_images_seen(real_data: Path) -> None:
    config = RECIPES["basic-cnn"].config.model_copy(update={"epochs": 1})
    data = load("mnist", folder=real_data)
    torch.manual_seed(0)
    network = build(config.architecture, data.spec.shape, 10)
    with tutorial.training_set(config, real_data) as images:
        seen = list(tutorial.train(network, images, config, torch.device("cpu"), count=3_210))
    assert seen == [*range(64, 3_201, 64), 3_210]
    assert evaluate(network, data.test, Standardise((0.0,), (1.0,))).accuracy > 0.7
