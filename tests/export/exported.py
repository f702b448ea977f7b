"""What an export must have, and what other tools read of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cnnlab.export.metrics import FINAL_METRICS
from cnnlab.runs.run import Run

if TYPE_CHECKING:
    from mlflow import MlflowClient

Curve = list[tuple[int, float]]


def client_of(tracking: str) -> MlflowClient:
    from mlflow import MlflowClient  # noqa: PLC0415 - after the export, which keeps its telemetry off

    return MlflowClient(tracking)


def curves(run: Run) -> dict[str, Curve]:
    """What an export must tell, from the run's own history and summary."""
    history, summary = run.history(), run.summary
    told = {
        f"step/{name}": [(row["step"], row[name]) for row in history.steps]
        for name in ("loss", "accuracy", "learning_rate")
    }
    for name in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "seconds"):
        told[f"epoch/{name}"] = [(row["step"], row[name]) for row in history.epochs]
    for index, name in enumerate(summary.classes):
        told[f"per_class/{name}"] = [(row["step"], row["per_class"][index]) for row in history.epochs]
    last = max(row["step"] for row in (*history.steps, *history.epochs))
    for name in FINAL_METRICS:
        told[f"final/{name}"] = [(last, getattr(summary, name))]
    return told


def read_events(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()


def scalars(events: EventAccumulator) -> dict[str, Curve]:
    return {tag: [(point.step, point.value) for point in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def metrics(client: MlflowClient, run_id: str) -> dict[str, Curve]:
    names = client.get_run(run_id).data.metrics
    return {name: [(point.step, point.value) for point in client.get_metric_history(run_id, name)] for name in names}


def assert_same(found: dict[str, Curve], told: dict[str, Curve], rel: float | None = None) -> None:
    assert found.keys() == told.keys()
    for name, curve in told.items():
        assert [step for step, _ in found[name]] == [step for step, _ in curve]
        assert [value for _, value in found[name]] == pytest.approx([value for _, value in curve], rel=rel)
