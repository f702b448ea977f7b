"""Runs that never were, with accuracies by a law."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cnnlab.data.datasets import DATASETS
from cnnlab.forecasting.forecast import Result
from cnnlab.forecasting.training import planned
from cnnlab.runs.entry import Entry
from cnnlab.runs.run import Run, write_aside
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.runs.summary import Forecast
from cnnlab.training.config import RunConfig
from tests import samples
from tests.trainings import copied

SAMPLE = DATASETS["mnist-sample"]


def result(accuracy: float, images: int = 450, **fields: object) -> Result:
    training = planned(RunConfig.model_validate(fields), SAMPLE)
    assert training
    return Result(training, accuracy, images)


def entry(
    name: str,
    accuracy: float | None = 0.9,
    forecast: Forecast | None = None,
    told: Mapping[str, object] = MappingProxyType({}),
    **fields: object,
) -> Entry:
    """A finished run with these settings whose summary has ``told`` besides."""
    return samples.told(name, {"validation_accuracy": accuracy, "forecast": forecast, **told}, fields)


def repeated(run: Run, times: int) -> list[Run]:
    """Copies among the test's own runs, as if it had been trained with so many seeds, a little better each time."""
    store = RunStore(runs_folder())
    accuracy = run.summary.validation_accuracy or 0.0
    copies = []
    for seed in range(times):
        copy = copied(run, store)
        write_aside(copy.folder / "config.json", copy.config.model_copy(update={"seed": 50 + seed}).model_dump_json())
        told = {"validation_accuracy": accuracy + 0.001 * seed}
        copy.write_summary(copy.summary.model_copy(update=told))
        copies.append(copy)
    return copies
