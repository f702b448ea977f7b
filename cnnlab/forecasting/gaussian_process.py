"""Gaussian process regression (Rasmussen & Williams 2006, chapter 2) from few and noisy values.

Hyperparameters are not fitted, which few values do not allow, but averaged over: each choice counts as much as the
values support it. The covariance of two points is

    signal² (1 + √3 d / reach) exp(−√3 d / reach)  +  TREND² x·x′  +  LEVEL_SD²

with their distance d and the numbers x along which the values may rise or fall without end.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

Floats = npt.NDArray[np.float64]

# Chosen for logarithms of errors on one data set, judged on another: docs/benchmarks.md.
SIGNALS = (0.3, 0.6, 1.2, 2.0)  # standard deviations of the values' landscape
NOISES = (0.03, 0.1, 0.3)  # of a value beside the noise that is known of it
REACHES = (1.0, 2.0)  # distances within which values are alike
TREND = 0.4  # standard deviation of the slope along each of the numbers
LEVEL, LEVEL_SD = -2.0, 2.0
WIDE, NODES = 6.0, 4001  # standard deviations and points of the distribution whose quantiles are looked up

_signal, _noise, _reach = (
    axis.reshape(-1, 1, 1) for axis in np.meshgrid(SIGNALS, NOISES, REACHES, indexing="ij")
)  # each (H, 1, 1): all choices


@dataclass(frozen=True)
class Prediction:
    """A mixture of normal distributions, one for each choice of hyperparameters: (H,) each."""

    weights: Floats
    means: Floats
    variances: Floats

    def quantiles(self, *shares: float) -> list[float]:
        """Return the values below which these ``shares`` of the distribution lie."""
        sds = np.sqrt(self.variances)
        low, high = (self.means - WIDE * sds).min(), (self.means + WIDE * sds).max()
        values = np.linspace(low, high, NODES)
        below = self.weights @ ndtr((values - self.means[:, None]) / sds[:, None])
        return [float(value) for value in np.interp(shares, below, values)]


def predict(distances: Floats, trends: Floats, values: Floats, noise: Floats) -> Prediction:
    """Predict the value at the last point from those at the N before it.

    ``distances`` between all points are (N + 1, N + 1), ``trends`` (N + 1, K) the numbers x, ``noise`` (N,) the known
    variances of the ``values`` (N,).
    """
    covariance = _covariance(distances, trends)  # (H, N + 1, N + 1)
    known = covariance[:, :-1, :-1] + np.eye(len(values)) * (noise + _noise**2)
    factor = np.linalg.cholesky(known)
    right = np.stack([np.broadcast_to(values - LEVEL, covariance[:, :-1, -1].shape), covariance[:, :-1, -1]], axis=-1)
    solved = np.linalg.solve(factor, right)
    whitened, weight = solved[..., 0], solved[..., 1]  # (H, N)
    fit = (whitened**2).sum(1) / 2 + np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(1)  # −log likelihood
    support = np.exp(fit.min() - fit)
    return Prediction(
        weights=support / support.sum(),
        means=LEVEL + (whitened * weight).sum(1),
        variances=covariance[:, -1, -1] - (weight**2).sum(1) + _noise[:, 0, 0] ** 2,
    )


def _covariance(distances: Floats, trends: Floats) -> Floats:
    scaled = sqrt(3) * distances / _reach
    alike: Floats = _signal**2 * (1 + scaled) * np.exp(-scaled)
    return alike + TREND**2 * trends @ trends.T + LEVEL_SD**2
