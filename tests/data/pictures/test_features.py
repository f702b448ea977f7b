from __future__ import annotations

import numpy as np
import pytest

from cnnlab.data.pictures.features import FEATURES, Part, PatchFeatures, thumbnails, tones
from tests.data.pictures.shots import pixels, shots


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 32), (3, 60)])
def test_images_of_any_size_are_described_by_as_many_numbers(channels: int, size: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (9, channels, size, size), np.uint8)
    found = PatchFeatures(images).describe(images)
    assert found.shape == (9, FEATURES)
    assert found.mean(0) == pytest.approx(np.zeros(FEATURES), abs=1e-4)
    assert thumbnails(images).shape == (9, channels * 64)
    assert tones(images).shape == (9, 2 * channels)


def test_a_seed_describes_alike_whatever_the_batches() -> None:
    images = np.stack([pixels(seed) for seed in range(12)])
    patches = PatchFeatures(images, seed=3)
    whole = patches.describe(images)
    assert np.concatenate([patches.describe(images[:5]), patches.describe(images[5:])]) == pytest.approx(
        whole, abs=1e-4
    )
    assert np.array_equal(PatchFeatures(images, seed=3).describe(images), whole)


def test_plain_images_are_numbers_too() -> None:
    plain = np.full((6, 3, 32, 32), 77, np.uint8)
    assert np.isfinite(PatchFeatures(plain).describe(plain)).all()
    assert not thumbnails(plain).any()
    assert not tones(plain).any()


def test_shots_of_a_scene_are_nearer_than_other_scenes() -> None:
    images = np.concatenate([shots(pixels(seed), 2, seed) for seed in range(20)])
    found = PatchFeatures(images).describe(images)
    for numbers in (found, thumbnails(images)):
        unit = numbers / np.linalg.norm(numbers, axis=1, keepdims=True)
        nearest = (unit @ unit.T - 2 * np.eye(40)).argmax(1)
        assert (nearest == np.arange(40) ^ 1).mean() > 0.9


def test_a_part_is_rows_of_the_images() -> None:
    images = np.arange(5, dtype=np.uint8)[:, None, None, None]
    part = Part(images, np.array([4, 1, 2]))
    assert len(part) == 3
    assert part[1:].flatten().tolist() == [1, 2]
    assert part[0].item() == 4
