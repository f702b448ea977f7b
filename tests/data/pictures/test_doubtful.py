from __future__ import annotations

import numpy as np

from cnnlab.data.pictures.doubtful import contradictions, outliers
from cnnlab.data.pictures.features import PatchFeatures, tones
from tests.data.pictures.shots import Pixels


def stripes(count: int) -> tuple[Pixels, np.ndarray]:
    """Noisy stripes that lie (class 0) or stand (class 1)."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % 2
    waves = 128 + 60 * np.sin(np.arange(32) / 1.5 + rng.uniform(0, 6, (count, 1)))  # (N, 32)
    images = np.where(labels[:, None, None], waves[:, None, :], waves[:, :, None]) + rng.normal(0, 25, (count, 32, 32))
    return images.clip(0, 255).astype(np.uint8)[:, None].repeat(3, 1), labels


def test_wrong_labels_are_the_most_doubtful() -> None:
    images, labels = stripes(120)
    wrong = [7, 30, 31, 99]
    labels[wrong] = 1 - labels[wrong]
    found = contradictions(PatchFeatures(images).describe(images), labels, np.arange(120), 2)
    assert sorted(np.argsort(-found.margins)[:4].tolist()) == wrong
    assert (found.margins > 0).sum() == 4
    assert (found.classes == 1 - labels).all()


def test_a_picture_is_not_judged_by_its_own_group() -> None:
    images, labels = stripes(80)
    labels[40:48] = 1 - labels[40:48]  # a burst with the wrong label, in one group and each by itself
    features = PatchFeatures(images).describe(images)
    groups = np.where((np.arange(80) >= 40) & (np.arange(80) < 48), 40, np.arange(80))
    assert (contradictions(features, labels, groups, 2).margins[40:48] > 0).all()


def test_a_class_with_a_single_picture_is_no_error() -> None:
    images, labels = stripes(20)
    labels[0] = 2
    assert np.isfinite(contradictions(PatchFeatures(images).describe(images), labels, np.arange(20), 3).margins).all()


def test_what_is_unlike_all_others_is_found_first() -> None:
    images, _ = stripes(100)
    images[50] = 250
    images[3] = np.indices((32, 32)).sum(0) // 4 % 2 * 255
    found = outliers(PatchFeatures(images).describe(images), tones(images))
    assert set(found[:2]) == {3, 50}


def test_images_that_are_all_alike_have_no_outliers() -> None:
    images = np.full((60, 3, 32, 32), 90, np.uint8)
    assert outliers(PatchFeatures(images).describe(images), tones(images)) == []
