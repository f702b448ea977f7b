"""The accuracy of the best of several networks, corrected for having been chosen by the images that measured it.

The best of many looks better than it is: it is also the luckiest on these images. How much is estimated by a double
bootstrap (Efron & Tibshirani 1993) over images, with the choice repeated in each resample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from cnnlab.evaluation.metrics import CONFIDENCE, Booleans, Floats

WORLDS = 150  # resamples in which the correction itself is tried
RESAMPLES = 400  # of each, and of the images themselves
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
    luck, errors = _corrected_luck(accuracies, noise)
    best = int(accuracies.argmax())
    corrected = min(1.0, max(0.0, float(accuracies[best]) - luck))
    spread = np.sqrt(errors.var() + corrected * (1 - corrected) / images)  # of the figure, and of other images
    half = float(norm.ppf((1 + CONFIDENCE) / 2) * spread)
    low, high = max(0.0, corrected - half), min(1.0, corrected + half)
    return Best(best, candidates, images, float(accuracies[best]), corrected, low, high)


def _noise(hits: Booleans, accuracies: Floats) -> Floats:
    """Draw what other images of the same kind would add to all accuracies together: (networks, WORLDS + RESAMPLES).

    Normal, with the covariance of the hits: the same images are easy for all networks.
    """
    images = hits.shape[1]
    apart = hits - accuracies[:, None]
    values, vectors = np.linalg.eigh(apart @ apart.T / images**2)
    normal = np.random.default_rng(SEED).standard_normal((len(hits), WORLDS + RESAMPLES))
    noise: Floats = (vectors * np.sqrt(values.clip(0))) @ normal
    return noise


def _corrected_luck(accuracies: Floats, noise: Floats) -> tuple[float, npt.NDArray[np.float64]]:
    """Return the luck of the best, and the errors of the corrected accuracy in WORLDS where the truth is known.

    There the single bootstrap's luck is compared with the luck that it should have found.
    """
    inner = noise[:, WORLDS:]
    single = _luck(accuracies, inner)
    lucks, errors = [], []
    for world in noise.T[:WORLDS]:
        seen = accuracies + world
        lucks.append(_luck(seen, inner))
        errors.append(world[seen.argmax()] - lucks[-1])
    return single + (single - float(np.mean(lucks))), np.array(errors)


def _luck(centres: Floats, noise: Floats) -> float:
    """Return the mean noise (networks, N) of the network that is best with it."""
    winners = (centres[:, None] + noise).argmax(0)
    return float(noise[winners, np.arange(noise.shape[1])].mean())
