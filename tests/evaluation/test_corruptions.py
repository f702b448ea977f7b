from __future__ import annotations

import pytest
import torch

from cnnlab.data.loading import load
from cnnlab.evaluation.corruptions import CORRUPTIONS, STRENGTHS, corrupted


def images(count: int = 20) -> torch.Tensor:
    return load("mnist-sample").test.images[:count]


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_images_become_worse_with_strength_and_stay_images(kind: str) -> None:
    before = images()
    distances = []
    for strength in STRENGTHS:
        worse = corrupted(before, kind, strength)
        assert (worse.shape, worse.dtype) == (before.shape, torch.uint8)
        distances.append((worse.float() - before.float()).abs().mean().item())
    assert distances == sorted(distances)
    assert distances[0] > 0
    assert torch.equal(corrupted(before, kind, 0), before)


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_the_same_seed_makes_the_same_images_of_any_size_and_colour(kind: str) -> None:
    colour = torch.randint(0, 256, (4, 3, 64, 64), dtype=torch.uint8)
    assert torch.equal(corrupted(colour, kind, 3, seed=1), corrupted(colour, kind, 3, seed=1))


def test_shifted_images_move_without_a_wrap() -> None:
    picture = torch.zeros(1, 1, 25, 25, dtype=torch.uint8)
    picture[0, 0, 12, 12] = 255
    (place,) = corrupted(picture, "shift", 2)[0, 0].nonzero().tolist()
    assert sorted(abs(coordinate - 12) for coordinate in place) == [0, 2]


def test_an_unknown_corruption_is_refused() -> None:
    with pytest.raises(KeyError):
        corrupted(images(1), "rust", 1)
