"""The published network behind a run: it answers to the run's images with ImageNet's classes."""

from __future__ import annotations

from pathlib import Path

import torch
from sklearn.datasets import load_sample_images

from cnnlab.pretrained.table import BACKBONES
from cnnlab.runs.published_network import as_published
from cnnlab.runs.store import RunStore
from cnnlab.training.recipes import RECIPES


def test_it_tells_what_is_on_a_photo_whatever_classes_its_run_has(tmp_path: Path) -> None:
    config = RECIPES["transfer"].config.model_copy(update={"architecture": BACKBONES["lite0"].network(224)})
    run = RunStore(tmp_path).create(config)
    half = (0.5, 0.5, 0.5)
    run.write_summary(
        run.summary.model_copy(update={"shape": (3, 427, 427), "mean": half, "std": half, "classes": ("a",)})
    )
    network = as_published(run)
    photos = [torch.from_numpy(photo[:, 106:533].copy()).permute(2, 0, 1) for photo in load_sample_images().images]
    probabilities = network.probabilities(torch.stack(photos))
    assert probabilities.shape == (2, 1000)
    assert [network.classes[best] for best in probabilities.argmax(1)] == ["palace", "daisy"]
    assert network.when == "as it was published"
