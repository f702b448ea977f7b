"""Batch augmentation against the same changes image by image."""

from __future__ import annotations

from time import perf_counter

import torch
from PIL import Image

from cnnlab.bench.rounds import Report, Rows, Say, Terms, alone, in_turn, ratio
from cnnlab.data.augmentation import affine
from cnnlab.data.loading import load
from cnnlab.data.torchvision_compat import transforms


def measure(terms: Terms, say: Say) -> Report:
    """Measure augmentation."""
    say("augmentation")
    return alone(_augmentation, terms.effort.rounds)


def rows(report: Report) -> Rows:
    """Return the line of a table."""
    return [("batch augmentation / per-image PIL", f"{report['ratio']:.1f}", "")]


def _augmentation(rounds: int, count: int = 2_048) -> Report:
    """Measure batch augmentation against the same ranges image by image, both from bytes to a network's input."""
    data = load("mnist-sample")
    split = data.train.part(slice(count))
    draws = torch.Generator().manual_seed(0)
    per_image = transforms.Compose(
        [
            lambda image: Image.fromarray(image[0].numpy()),
            transforms.RandomAffine(
                degrees=12,
                translate=(0.08, 0.08),
                scale=(0.85, 1.15),
                shear=11,  # degrees: a slant of 0.2
                interpolation=transforms.InterpolationMode.BILINEAR,
            ),
            transforms.ToTensor(),
        ]
    )

    def ours() -> float:
        start = perf_counter()
        affine(split.images.float().div_(255), split.labels, data.spec.classes, draws)
        return count / (perf_counter() - start)

    def pil() -> float:
        start = perf_counter()
        torch.stack([per_image(image) for image in split.images])
        return count / (perf_counter() - start)

    return {"ratio": ratio(in_turn({"ours": ours, "pil": pil}, rounds), "ours", "pil")}
