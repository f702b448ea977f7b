"""The metrics of a run that has ended, for other tools.

Each tool gets the same names: ``step/…`` and ``epoch/…`` as in the history, ``per_class/…`` (validation accuracy), and
``final/…`` as judged at the end, at the last step.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from typing import NamedTuple

from cnnlab.errors import CnnLabError
from cnnlab.runs.run import Run
from cnnlab.runs.summary import Summary
from cnnlab.training.history import History, Record

PACKAGES = (
    "tensorboard",
    "mlflow",
    "huggingface_hub",
)  # optional, so each is imported only in its module and when it is used

STEP_METRICS = ("loss", "accuracy", "learning_rate")
EPOCH_METRICS = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "seconds")
FINAL_METRICS = ("train_accuracy", "validation_accuracy", "test_accuracy", "test_loss", "balanced_accuracy", "macro_f1")


class InteropError(CnnLabError):
    """An export that cannot be: a package is missing, the run has no metrics, or the other side refuses."""


class Point(NamedTuple):
    """One value of one curve; accuracies are fractions."""

    name: str
    step: int
    value: float


class Clock:
    """Wall times in seconds since 1970, as if all steps had taken equally long."""

    def __init__(self, run: Run, points: list[Point]) -> None:
        self.start = run.summary.created.timestamp()
        self._seconds = max((point.value for point in points if point.name == "epoch/seconds"), default=0.0)
        self._steps = max(1, *(point.step for point in points))

    def at(self, step: int) -> float:
        return self.start + self._seconds * step / self._steps

    @property
    def end(self) -> float:
        return self.at(self._steps)


def available() -> dict[str, bool]:
    """Tell which of the optional packages are installed, by name."""
    return {name: find_spec(name) is not None for name in PACKAGES}


def need(package: str) -> None:
    """Raise InteropError with the command that installs ``package``, where it is missing."""
    if not available()[package]:
        raise InteropError(f"{package} is not installed: pip install {package}")


def points_of(run: Run) -> list[Point]:
    """Collect all curves of a run that has ended, each by ascending step.

    Raises InteropError where it trains, has no metrics or a damaged history, RunError where it is damaged otherwise.
    """
    summary = run.summary
    if summary.status == "running":
        raise InteropError(f"run {run.id} is still training: export it when it has ended")
    try:
        points = list(_curves(run.history(), summary.classes))
    except (OverflowError, TypeError, ValueError) as error:
        raise InteropError(f"run {run.id}: its history is damaged ({error})") from error
    if not points:
        raise InteropError(f"run {run.id} has no metrics to export")
    return [*points, *_finals(summary, max(point.step for point in points))]


def _curves(history: History, classes: tuple[str, ...]) -> Iterator[Point]:
    names = _class_names(classes)
    for record in history.steps:
        yield from _named("step", record, STEP_METRICS)
    for record in history.epochs:
        yield from _named("epoch", record, EPOCH_METRICS)
        for name, accuracy in zip(names, record["per_class"], strict=True):
            yield Point(f"per_class/{name}", int(record["step"]), float(accuracy))


def _named(group: str, record: Record, metrics: tuple[str, ...]) -> Iterator[Point]:
    for metric in metrics:
        yield Point(f"{group}/{metric}", int(record["step"]), float(record[metric]))


def _finals(summary: Summary, step: int) -> Iterator[Point]:
    for metric in FINAL_METRICS:
        value = getattr(summary, metric)
        if value is not None:
            yield Point(f"final/{metric}", step, value)


def _class_names(classes: tuple[str, ...]) -> list[str]:
    """Replace what MLflow forbids, or both tools take for a group; number names that become the same."""
    names = [re.sub(r"[^\w. -]", "_", name) for name in classes]
    return names if len(set(names)) == len(names) else [f"{index} {name}" for index, name in enumerate(names)]
