from __future__ import annotations

import numpy as np

from cnnlab.data.pictures.features import PatchFeatures
from cnnlab.data.pictures.scenes import scenes
from tests.data.pictures.shots import Pixels, pixels, shots


def found(images: Pixels, labels: list[int]) -> list[list[int]]:
    return list(scenes(images, PatchFeatures(images).describe(images), labels))


def test_shots_of_a_scene_are_found_and_other_scenes_are_not() -> None:
    images = np.concatenate([shots(pixels(seed), 4, seed) for seed in range(20)])
    groups = found(images, [0] * 40 + [1] * 40)
    assert not [group for group in groups if len({number // 4 for number in group}) > 1]
    assert sum(map(len, groups)) >= 0.9 * len(images)


def test_what_looks_alike_throughout_a_class_is_no_scene() -> None:
    images = np.concatenate([shots(pixels(0), 20, 0), np.stack([pixels(seed) for seed in range(1, 21)])])
    assert found(images, [0] * 20 + [1] * 20) == []


def test_shots_of_two_classes_are_no_scene() -> None:
    images = np.concatenate([shots(pixels(seed), 2, seed) for seed in range(10)])
    assert found(images, [0, 1] * 10) == []
