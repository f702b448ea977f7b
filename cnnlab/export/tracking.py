"""A run's metrics for other tools, when asked: TensorBoard's event files, MLflow's tracking.

Both packages are optional and imported only here, when used. Both get the same names: ``step/…`` and ``epoch/…``
as in the history, ``per_class/…`` (validation accuracy), and ``final/…`` as judged at the end, at the last step.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cnnlab.errors import CnnLabError
from cnnlab.files import replacing
from cnnlab.networks.architecture import follow
from cnnlab.networks.diagram import draw_network
from cnnlab.runs.store import Run, Summary
from cnnlab.training.history import History, Record

if TYPE_CHECKING:
    from mlflow import MlflowClient

PACKAGES = ("tensorboard", "mlflow")
EXPERIMENT = "CNN Lab"  # in MLflow, unless MLFLOW_EXPERIMENT_NAME says otherwise
RUN_TAG = "cnnlab.run"
ARTIFACTS = ("config.json", "history.jsonl")
DRAWING = "network.svg"

STEP_METRICS = ("loss", "accuracy", "learning_rate")
EPOCH_METRICS = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "seconds")
FINAL_METRICS = ("train_accuracy", "validation_accuracy", "test_accuracy", "test_loss")

STATUS = {"finished": "FINISHED", "stopped": "KILLED", "interrupted": "KILLED", "failed": "FAILED"}
MANNERS = {  # MLflow's environment, unless the user has set it
    "MLFLOW_DISABLE_TELEMETRY": "true",  # nobody but the tracking hears of a run
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",  # a server that is not there is told after seconds, not minutes
}
METRICS_AT_ONCE, PARAMS_AT_ONCE = 1000, 100  # what MLflow takes in one request


class InteropError(CnnLabError):
    """An export that cannot be: a package is missing, the run has nothing to tell, or the other side refuses."""


class Point(NamedTuple):
    """One value of one curve; accuracies are fractions."""

    name: str
    step: int
    value: float


def available() -> dict[str, bool]:
    """Which of the optional packages are installed, by name."""
    return {name: find_spec(name) is not None for name in PACKAGES}


def to_tensorboard(run: Run, folder: Path) -> Path:
    """Write the run's curves and settings as event files into ``folder/<run id>``; returns that folder.

    A second export replaces the first. Raises InteropError without TensorBoard, for a run that trains or has no
    metrics, or where the folder cannot be written; RunError for a damaged run.
    """
    _need("tensorboard")
    points = _points(run)
    target = folder / run.id
    try:
        target.mkdir(parents=True, exist_ok=True)
        with replacing(target / f"events.out.tfevents.{run.summary.created.timestamp():.0f}.cnnlab") as aside:
            _write_events(run, points, aside)
    except OSError as error:
        raise InteropError(f"cannot write TensorBoard's files to {target}: {error}") from error
    return target


def to_mlflow(run: Run, tracking_uri: str | None = None) -> str:
    """Log the run to MLflow, at ``tracking_uri`` or the environment's MLFLOW_TRACKING_URI; returns MLflow's run id.

    A second export finds the run by its tag and adds what is new. Raises InteropError without MLflow or a URI, for a
    run that trains or has no metrics, or where the tracking refuses; RunError for a damaged run.
    """
    _need("mlflow")
    uri = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI")
    if not uri:
        raise InteropError("where to? name a tracking URI of MLflow or set MLFLOW_TRACKING_URI")
    points = _points(run)
    for name, value in MANNERS.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient  # noqa: PLC0415 - optional and slow to import
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    try:
        return _log(MlflowClient(uri), run, points)
    except ImportError as error:  # a database needs more than mlflow-skinny has
        raise InteropError(f"MLflow lacks {error.name} for this tracking URI: pip install mlflow") from error
    except (MlflowException, OSError) as error:
        raise InteropError(f"MLflow refused run {run.id}: {error}") from error


def _need(package: str) -> None:
    if not available()[package]:
        raise InteropError(f"{package} is not installed: pip install {package}")


def _points(run: Run) -> list[Point]:
    """All curves of a run that has ended, each by ascending step."""
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
    """Names without what MLflow forbids or both take for a group; numbered where that makes two the same."""
    names = [re.sub(r"[^\w. -]", "_", name) for name in classes]
    return names if len(set(names)) == len(names) else [f"{index} {name}" for index, name in enumerate(names)]


class _Clock:
    """Wall times as if every step had taken as long as the others, in seconds since 1970."""

    def __init__(self, run: Run, points: list[Point]) -> None:
        self.start = run.summary.created.timestamp()
        self._seconds = max((point.value for point in points if point.name == "epoch/seconds"), default=0.0)
        self._steps = max(1, *(point.step for point in points))

    def at(self, step: int) -> float:
        return self.start + self._seconds * step / self._steps

    @property
    def end(self) -> float:
        return self.at(self._steps)


def _settings(run: Run) -> dict[str, Any]:
    """The config's fields, the architecture by its name."""
    config = run.config
    return {**config.scalars(), "architecture": config.architecture.name}


def _flat(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Leaves of nested fields with their dotted paths, a list's by their indices: architecture.layers.0.kind."""
    if isinstance(value, Mapping | list):
        fields = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, inner in fields:
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    else:
        yield name, str(value)


def _write_events(run: Run, points: list[Point], path: Path) -> None:
    from tensorboard.compat.proto.event_pb2 import Event  # noqa: PLC0415 - optional
    from tensorboard.compat.proto.summary_pb2 import Summary as Values  # noqa: PLC0415
    from tensorboard.plugins.hparams import summary_v2 as hparams  # noqa: PLC0415
    from tensorboard.summary.writer.record_writer import RecordWriter  # noqa: PLC0415

    settings, clock = _settings(run), _Clock(run, points)
    finals = [hparams.Metric(point.name) for point in points if point.name.startswith("final/")]
    columns = hparams.hparams_config_pb([hparams.HParam(name) for name in settings], finals, clock.start)
    with path.open("wb") as file:
        writer = RecordWriter(file)
        for head in (
            Event(wall_time=clock.start, file_version="brain.Event:2"),
            Event(wall_time=clock.start, summary=columns),
            Event(wall_time=clock.start, summary=hparams.hparams_pb(settings, run.id, clock.start)),
        ):
            writer.write(head.SerializeToString())
        for point in sorted(points, key=lambda point: point.step):
            value = Values(value=[Values.Value(tag=point.name, simple_value=point.value)])
            writer.write(Event(wall_time=clock.at(point.step), step=point.step, summary=value).SerializeToString())


def _log(client: MlflowClient, run: Run, points: list[Point]) -> str:
    from mlflow.entities import Metric, Param, RunTag  # noqa: PLC0415 - optional and slow to import

    clock, summary = _Clock(run, points), run.summary
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


def _drawn(run: Run) -> str:
    """The network for the images that it was trained on, as an SVG."""
    architecture, summary = run.config.architecture, run.summary
    rows = follow(architecture, summary.shape, len(summary.classes))
    return draw_network(rows, summary.shape, architecture.title)


def _logged(client: MlflowClient, experiment: str, run_id: str, start: int) -> str:
    """MLflow's id of the run, which is made where there is none; ``start`` is in milliseconds since 1970."""
    known = client.get_experiment_by_name(experiment)
    folder = known.experiment_id if known else client.create_experiment(experiment)
    for found in client.search_runs([folder], f"tags.`{RUN_TAG}` = '{run_id}'", max_results=1):
        return str(found.info.run_id)
    return str(client.create_run(folder, start, {RUN_TAG: run_id}, run_name=run_id).info.run_id)


def _unknown(client: MlflowClient, logged: str, points: list[Point]) -> list[Point]:
    """Points at steps where MLflow has no value of that name."""
    names = client.get_run(logged).data.metrics
    known = {(name, point.step) for name in names for point in client.get_metric_history(logged, name)}
    return [point for point in points if (point.name, point.step) not in known]
