"""Networks with random weights, as exports take them."""

from __future__ import annotations

from dataclasses import replace

import torch

from cnnlab.analysis.activations import penultimate
from cnnlab.analysis.nearest import FeatureIndex
from cnnlab.analysis.ood import TrainingFeatures
from cnnlab.data.batches import Standardise
from cnnlab.export.c import rounded_network
from cnnlab.export.portable import Examples, Portable, Preparation
from cnnlab.networks.architecture import Architecture, Draft
from cnnlab.networks.build import build
from cnnlab.networks.layers import Shape
from cnnlab.runs.trained import Trained
from tests.networks.random_weights import shake


def portable(
    draft: Draft, shape: Shape, classes: int = 10, seed: int = 0, preparation: Preparation = "photo", images: int = 10
) -> Portable:
    """A network whose weights are random and of which none hides."""
    architecture = Architecture.model_validate(draft.model_dump())
    network = build(architecture, shape, classes, seed).eval()
    shake(network, seed)
    scale = (0.4,) * shape[0], (0.3,) * shape[0]
    names = tuple(f"class {number}" for number in range(classes))
    trained = Trained(network, Standardise(*scale), names, shape, epoch=1)
    pixels = torch.randint(0, 256, (images, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
    labels = torch.arange(images) % classes
    return Portable(
        run="20260101-000000-000000-abcdefabcdef",
        title=draft.title,
        architecture=architecture,
        trained=trained,
        preparation=preparation,
        familiar=TrainingFeatures(FeatureIndex(penultimate(network, pixels, trained.inputs), labels), 1.0, 0.5),
        examples=Examples(pixels, labels, trained.probabilities(pixels)),
        calibration=pixels,
    )


def with_rounded_weights(given: Portable) -> Portable:
    """The network as a C header has it, so that nothing but arithmetic differs."""
    trained = replace(given.trained, network=rounded_network(given.trained.network))
    examples = replace(given.examples, probabilities=trained.probabilities(given.examples.images))
    return replace(given, trained=trained, examples=examples)
