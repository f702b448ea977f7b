"""A run's metrics as TensorBoard's event files."""

from __future__ import annotations

from pathlib import Path

from cnnlab.export.metrics import Clock, InteropError, Point, need, points_of
from cnnlab.files import atomic_file
from cnnlab.runs.run import Run


def to_tensorboard(run: Run, folder: Path) -> Path:
    """Write the run's curves and settings as an event file into ``folder/<run id>``; return that folder.

    A second export replaces the first. Raises InteropError without TensorBoard, for a run that trains or has no
    metrics, or where the folder cannot be written; RunError for a damaged run.
    """
    need("tensorboard")
    points = points_of(run)
    target = folder / run.id
    try:
        target.mkdir(parents=True, exist_ok=True)
        with atomic_file(target / f"events.out.tfevents.{run.summary.created.timestamp():.0f}.cnnlab") as aside:
            _write_events(run, points, aside)
    except OSError as error:
        raise InteropError(f"cannot write TensorBoard's files to {target}: {error}") from error
    return target


def _write_events(run: Run, points: list[Point], path: Path) -> None:
    from tensorboard.compat.proto.event_pb2 import Event  # noqa: PLC0415 - optional
    from tensorboard.compat.proto.summary_pb2 import Summary as Values  # noqa: PLC0415
    from tensorboard.plugins.hparams import summary_v2 as hparams  # noqa: PLC0415
    from tensorboard.summary.writer.record_writer import RecordWriter  # noqa: PLC0415

    settings = {**run.config.scalars(), "architecture": run.config.architecture.name}
    clock = Clock(run, points)
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
