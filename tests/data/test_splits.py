from __future__ import annotations

from time import perf_counter

import torch

from cnnlab.data.loading import load_test
from cnnlab.data.splits import fingerprints


def test_fingerprints_tell_images_apart_by_one_pixel() -> None:
    images = load_test("mnist-sample").images.repeat(2, 1, 1, 1)
    images[500:, 0, 13, 13] ^= 1
    assert len(set(fingerprints(images).tolist())) == 1000


def test_sixty_thousand_fingerprints_take_less_than_a_second() -> None:
    images = torch.randint(0, 256, (60_000, 1, 28, 28), dtype=torch.uint8)
    start = perf_counter()
    fingerprints(images)
    assert perf_counter() - start < 1
