"""The accuracy of the best of several networks, corrected for having been chosen by the images that measured it.

The best of many looks better than it is: it is also the luckiest on these images. How lucky is tried with the noise
that other images would bring: it is added to all accuracies, the best is chosen again, and what that one gained is the
luck of a choice with twice the noise. A share of the noise, its gain scaled up, adds less (coupled bootstrap, Oliveira
et al. 2021, arXiv:2111.09447). The luck without any addition is extrapolated from all of it and half.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from cnnlab.evaluation.metrics import CONFIDENCE, Booleans, Floats

SHARE = 0.5  # of the noise's variance: less of it biases less, and varies more
RESAMPLES = 2000
WORLDS = 100  # in which the truth is known, and so the corrected accuracy's error
RESAMPLES_EACH = 200  # of these
SEED = 0


@dataclass(frozen=True)
class Best:
    """The best of several networks on the same images; accuracies are fractions."""

    number: int  # which of them
    candidates: int
    images: int
    accuracy: float  # on the images that chose it
    corrected: float  # expected on other images of the same kind
    low: float  # 95 % interval of its accuracy on as many other images
    high: float

    @property
    def luck(self) -> float:
        """How much of the accuracy is owed to the choice."""
        return self.accuracy - self.corrected


def best_of(hits: Booleans) -> Best:
    """Choose the most accurate by ``hits`` (networks, images) and correct its accuracy for the choice.

    Raises ValueError where there is no network or no image.
    """
    if not hits.size:
        raise ValueError("there is no answer to choose by")
    candidates, images = hits.shape
    accuracies: Floats = hits.mean(1)
    noise = _noise(hits, accuracies)
    resamples, worlds = noise[:RESAMPLES], noise[RESAMPLES:]
    best = int(accuracies.argmax())
    corrected = min(1.0, max(0.0, float(accuracies[best]) - _luck(accuracies, resamples)))
    few = resamples[:RESAMPLES_EACH]
    errors = [world[(accuracies + world).argmax()] - _luck(accuracies + world, few) for world in worlds]
    chance = corrected * (1 - corrected) / images
    least = 0.5 / images**2  # that of half an image: no error among few images is no certainty
    spread = np.sqrt(max(np.var(errors), least) + max(chance, least))  # of the figure, and of other images
    half = float(norm.ppf((1 + CONFIDENCE) / 2) * spread)
    low, high = max(0.0, corrected - half), min(1.0, corrected + half)
    return Best(best, candidates, images, float(accuracies[best]), corrected, low, high)


def _noise(hits: Booleans, accuracies: Floats) -> Floats:
    """Draw what other images of the same kind would add to all accuracies: (RESAMPLES + WORLDS, networks).

    Normal, with the covariance of the hits: the same images are easy for all networks.
    """
    apart = hits.astype(np.float32) - accuracies[:, None].astype(np.float32)
    values, vectors = np.linalg.eigh((apart @ apart.T).astype(np.float64) / hits.shape[1] ** 2)
    normal = np.random.default_rng(SEED).standard_normal((RESAMPLES + WORLDS, len(hits)))
    noise: Floats = (normal * np.sqrt(values.clip(0))) @ vectors.T
    return noise


def _luck(accuracies: Floats, noise: Floats) -> float:
    """Return what the best of ``accuracies`` gained from noise like ``noise`` (N, networks)."""
    all_of_it, share = (_gain(accuracies, noise, added) for added in (1.0, SHARE))
    return share + (share - all_of_it) * SHARE / (1 - SHARE)


def _gain(accuracies: Floats, noise: Floats, added: float) -> float:
    """Return the mean noise of the best after a share of the noise's variance was added, scaled up to all of it."""
    winners = (accuracies + np.sqrt(added) * noise).argmax(1)
    gained = noise[np.arange(len(noise)), winners] - noise[:, accuracies.argmax()]  # whose own mean is 0
    return float(gained.mean() / np.sqrt(added))
