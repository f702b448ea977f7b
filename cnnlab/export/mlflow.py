"""A run's metrics, settings and files in MLflow's tracking."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from cnnlab.export.metrics import Clock, InteropError, Point, need, points_of
from cnnlab.networks.architecture import follow
from cnnlab.networks.diagram import draw_network
from cnnlab.runs.run import Run
from cnnlab.text import without_password

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "CNN Lab"  # unless MLFLOW_EXPERIMENT_NAME says otherwise
RUN_TAG = "cnnlab.run"
ARTIFACTS = ("config.json", "history.jsonl")
DRAWING = "network.svg"

STATUS = {"finished": "FINISHED", "stopped": "KILLED", "interrupted": "KILLED", "failed": "FAILED"}
ENVIRONMENT = {  # unless the user has set it
    "MLFLOW_DISABLE_TELEMETRY": "true",  # nobody but the tracking hears of a run
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",  # a server that is not there is told after seconds, not minutes
}
METRICS_AT_ONCE, PARAMS_AT_ONCE = 1000, 100  # what MLflow takes in one request


def to_mlflow(run: Run, tracking_uri: str | None = None) -> str:
    """Log the run to MLflow, at ``tracking_uri`` or the environment's MLFLOW_TRACKING_URI; return MLflow's run id.

    A second export finds the run by its tag and adds what is new. Raises InteropError without MLflow or a URI, for a
    run that trains or has no metrics, or where the tracking refuses; RunError for a damaged run.
    """
    need("mlflow")
    uri = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI")
    if not uri:
        raise InteropError("where to? name a tracking URI of MLflow or set MLFLOW_TRACKING_URI")
    points = points_of(run)
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient  # noqa: PLC0415 - optional and slow to import
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    try:
        return _log(MlflowClient(uri), run, points)
    except ImportError as error:  # a database needs more than mlflow-skinny has
        raise InteropError(f"MLflow lacks {error.name} for this tracking URI: pip install mlflow") from error
    except (MlflowException, OSError) as error:
        raise InteropError(f"MLflow refused run {run.id}: {without_password(str(error))}") from error


def _log(client: MlflowClient, run: Run, points: list[Point]) -> str:
    from mlflow.entities import Metric, Param, RunTag  # noqa: PLC0415 - optional and slow to import

    clock, summary = Clock(run, points), run.summary
    experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
    logged = _logged(client, experiment, run.id, int(clock.start * 1000))
    tags = {"status": summary.status, "device": summary.device, "precision": summary.precision}
    client.log_batch(logged, tags=[RunTag(f"cnnlab.{name}", value) for name, value in tags.items()])
    layers = run.config.architecture.model_dump(mode="json")
    params = [Param(name, value) for name, value in _flat({**run.config.scalars(), "architecture": layers})]
    for first in range(0, len(params), PARAMS_AT_ONCE):
        client.log_batch(logged, params=params[first : first + PARAMS_AT_ONCE])
    new = _unknown(client, logged, points)
    metrics = [Metric(point.name, point.value, int(clock.at(point.step) * 1000), point.step) for point in new]
    for first in range(0, len(metrics), METRICS_AT_ONCE):
        client.log_batch(logged, metrics=metrics[first : first + METRICS_AT_ONCE])
    for name in ARTIFACTS:
        client.log_artifact(logged, str(run.folder / name))
    client.log_text(logged, _drawn(run), DRAWING)
    client.set_terminated(logged, STATUS[summary.status], int(clock.end * 1000))
    return logged


def _flat(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield the leaves of nested fields with their dotted paths, as architecture.layers.0.kind."""
    if isinstance(value, Mapping | list):
        fields = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, inner in fields:
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    else:
        yield name, str(value)


def _drawn(run: Run) -> str:
    """Draw the network, for the images that it was trained on, as an SVG."""
    architecture, summary = run.config.architecture, run.summary
    rows = follow(architecture, summary.shape, len(summary.classes))
    return draw_network(rows, summary.shape, architecture.title)


def _logged(client: MlflowClient, experiment: str, run_id: str, start: int) -> str:
    """Find MLflow's id of the run, or create it; ``start`` is in milliseconds since 1970."""
    known = client.get_experiment_by_name(experiment)
    folder = known.experiment_id if known else client.create_experiment(experiment)
    for found in client.search_runs([folder], f"tags.`{RUN_TAG}` = '{run_id}'", max_results=1):
        return str(found.info.run_id)
    return str(client.create_run(folder, start, {RUN_TAG: run_id}, run_name=run_id).info.run_id)


def _unknown(client: MlflowClient, logged: str, points: list[Point]) -> list[Point]:
    """Select the points at steps where MLflow has no value of that name."""
    names = client.get_run(logged).data.metrics
    known = {(name, point.step) for name in names for point in client.get_metric_history(logged, name)}
    return [point for point in points if (point.name, point.step) not in known]
