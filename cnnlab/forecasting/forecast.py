"""The validation accuracy that a training will come to, with an interval, from earlier runs on the same data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cnnlab.data.spec import DatasetSpec
from cnnlab.forecasting.gaussian_process import Floats, Prediction, predict
from cnnlab.forecasting.training import TRENDS, Training, beyond, distances, planned, trained
from cnnlab.runs.entry import Entry
from cnnlab.runs.summary import Forecast
from cnnlab.training.config import RunConfig

# docs/benchmarks.md has the coverage by the number of earlier runs.
FEWEST = 10  # earlier runs that a forecast needs
MOST = 150  # that it is made from, the most alike: more would cost time
LEVEL = 0.9  # of the interval


@dataclass(frozen=True)
class Result:
    """What an earlier training came to."""

    training: Training
    accuracy: float  # on its validation images
    images: int  # these


@dataclass(frozen=True)
class Outlook:
    """A forecast, or how far it is from one."""

    runs: int  # earlier ones
    forecast: Forecast | None
    beyond: str = ""  # the number of the training that is far outside all of theirs, so that nothing is forecast

    @property
    def missing(self) -> int:
        """How many more earlier runs a forecast needs."""
        return max(0, FEWEST - self.runs)


def outlook(config: RunConfig, spec: DatasetSpec, entries: Sequence[Entry]) -> Outlook | None:
    """Forecast the validation accuracy of ``config`` from the earlier ones among ``entries``.

    None where it cannot be: the config begins with a run's weights, or its network does not take such images.
    """
    training = None if config.origin else planned(config, spec)
    if training is None:
        return None
    results = [
        Result(trained(entry, spec), entry.row["Validation"], _held_out(spec, entry.row["Validation share"]))
        for entry in earlier(config.dataset, entries)
    ]
    if len(results) < FEWEST:
        return Outlook(len(results), None)
    if far := beyond(training, [result.training for result in results]):
        return Outlook(len(results), None, far)
    return Outlook(len(results), foreseen(training, _held_out(spec, config.validation_fraction), results))


def earlier(dataset: str, entries: Sequence[Entry]) -> list[Entry]:
    """Return the complete runs on a data set; of copies, and of repeats with the same seed, one."""
    found = (entry for entry in entries if entry.dataset == dataset and is_complete(entry) and entry.row["MACs"])
    return list({entry.settings: entry for entry in found}.values())


def is_complete(entry: Entry) -> bool:
    """Tell whether a run was trained by its config's settings alone, to the end, and so can judge a forecast."""
    return entry.as_configured and entry.status == "finished" and entry.row["Validation"] is not None


def foreseen(training: Training, images: int, results: Sequence[Result]) -> Forecast:
    """Forecast the accuracy of a training on as many validation ``images``, from at least one earlier result."""
    apart = distances([training], [result.training for result in results])[0]
    nearest = [results[at] for at in np.argsort(apart, kind="stable")[:MOST]]
    points = [*(result.training for result in nearest), training]
    numbers = np.array([point.numbers for point in points])[:, TRENDS]
    accuracies, counts = (np.array([getattr(one, name) for one in nearest]) for name in ("accuracy", "images"))
    errors = _above_zero(1 - accuracies, counts)
    found = predict(distances(points, points), numbers - numbers[-1], np.log(errors), _chance(errors, counts))
    logs = _observed(found, images).quantiles((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2)
    best, likely, worst = (1 - _with_zero(float(np.exp(value)), images) for value in logs)
    return Forecast(accuracy=likely, low=worst, high=best, runs=len(results))


def _observed(found: Prediction, images: int) -> Prediction:
    """Add the chance of which validation images are drawn."""
    errors = np.clip(np.exp(found.means), 1 / images, 1.0)
    return Prediction(found.weights, found.means, found.variances + _chance(errors, images))


def _above_zero(errors: Floats, images: Floats) -> Floats:
    """Add half an image that is wrong and half one that is right: an error of 0 has no logarithm."""
    return (errors * images + 0.5) / (images + 1)


def _with_zero(error: float, images: int) -> float:
    """Undo ``_above_zero``."""
    return min(max((error * (images + 1) - 0.5) / images, 0.0), 1.0)


def _chance(errors: Floats, images: Floats | int) -> Floats:
    """Return the variance of the logarithm of an error that is measured on so many images."""
    return (1 - errors) / (errors * images)


def _held_out(spec: DatasetSpec, share: float) -> int:
    return max(1, round(spec.sizes[0] * share))
