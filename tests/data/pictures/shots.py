"""Shots of scenes made for tests: each a photo moved, turned, lit and grained a little differently."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import affine_transform

from tests.data.pictures.photos import scene

Pixels = npt.NDArray[np.uint8]


def shots(photo: Pixels, count: int, seed: int) -> Pixels:
    """``count`` shots (count, C, H, W) of a photo (C, H, W), as from a camera held by hand."""
    rng = np.random.default_rng(seed)
    centre = (np.array(photo.shape[1:]) - 1) / 2
    taken = []
    for _ in range(count):
        angle, zoom, moved = np.deg2rad(rng.uniform(-8, 8)), rng.uniform(0.92, 1.1), rng.uniform(-2, 2, 2)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / zoom
        start = centre - turn @ (centre + moved)
        shot = np.stack([affine_transform(channel / 255, turn, start, order=1, mode="reflect") for channel in photo])
        shot = shot * rng.uniform(0.8, 1.2) + rng.uniform(-0.05, 0.05) + 0.02 * rng.standard_normal(shot.shape)
        taken.append((shot.clip(0, 1) * 255).astype(np.uint8))
    return np.stack(taken)


def pixels(seed: int, size: int = 32) -> Pixels:
    """A plain scene (3, size, size)."""
    return np.asarray(scene(seed, size)).transpose(2, 0, 1)
