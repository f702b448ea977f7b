"""A run from elsewhere: what it must be before it may lie among our own. Nothing is unpickled."""

from __future__ import annotations

from functools import partial
from math import prod
from typing import Annotated, TypeVar

from pydantic import Field, TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open

from cnnlab import events
from cnnlab.architectures import BYTES_PER_NUMBER, ArchitectureError, summarise
from cnnlab.config import RunConfig
from cnnlab.data import DATASETS
from cnnlab.history import History
from cnnlab.runs import MAX_LINE, MAX_READ, About, Run, RunError, Summary, read_bounded

MAX_WEIGHTS = 100_000_000  # bytes of an epoch: 25 million parameters, twelve times the largest preset's on any data set
MAX_MACS = 1_000_000_000  # of a network on one image: 25 times the largest preset's
MAX_ACTIVATIONS = 100_000_000  # bytes of a network on one image: 70 times the largest preset's
YEARS = range(1970, 9999)  # in which it was created; dates at the calendar's ends have no local time

_T = TypeVar("_T")
_CONFIG = TypeAdapter(RunConfig)
_SUMMARY = TypeAdapter(Summary)
_ABOUT = TypeAdapter(About)
_RECORD: TypeAdapter[events.Record] = TypeAdapter(Annotated[events.Record, Field(discriminator="kind")])


def admit(run: Run) -> None:
    """Check every file of a run; where it says that it is running it now says that it was interrupted.

    Raises RunError for the first file that is missing, damaged or would take too much memory.
    """
    config, summary = _read(run, "config.json", _CONFIG), _read(run, "summary.json", _SUMMARY)
    if summary.id != run.id or summary.created.year not in YEARS:
        raise _refusal(run, "summary.json", "of another run or time")
    if (run.folder / "about.json").exists():
        _read(run, "about.json", _ABOUT)
    _check_data(run, config, summary)
    _check_network(run, config, summary)
    _check_history(run, len(summary.classes))
    _check_weights(run)
    if summary.status == "running":
        run.write_summary(summary.model_copy(update={"status": "interrupted"}))


def _read(run: Run, name: str, kind: TypeAdapter[_T]) -> _T:
    try:
        return kind.validate_json(read_bounded(run.folder / name, MAX_READ[name]))
    except FileNotFoundError as error:
        raise _refusal(run, name, "missing") from error
    except (OSError, ValidationError) as error:
        raise _refusal(run, name, "damaged") from error


def _check_data(run: Run, config: RunConfig, summary: Summary) -> None:
    """Classes and images are the data set's own; a run that ended before it had read them has none."""
    spec = DATASETS.get(config.dataset)
    if spec is None:
        raise _refusal(run, "config.json", "of a data set that is not known here")
    if summary.classes and (summary.classes, summary.shape) != (spec.classes, spec.shape):
        raise _refusal(run, "summary.json", f"of other classes or images than those of {spec.title}")


def _check_network(run: Run, config: RunConfig, summary: Summary) -> None:
    """Building and running the network must not take the machine's memory."""
    try:
        rows = summarise(config.architecture, summary.shape, len(summary.classes))
    except ArchitectureError:  # never built: so it is, too, of a run that ended before it had read its data
        return
    weights = BYTES_PER_NUMBER * sum(row.parameters for row in rows)
    activations = BYTES_PER_NUMBER * prod(summary.shape) + sum(row.activation_bytes for row in rows)
    if weights > MAX_WEIGHTS or activations > MAX_ACTIVATIONS or sum(row.macs for row in rows) > MAX_MACS:
        raise _refusal(run, "config.json", "of too large a network")


def _check_history(run: Run, classes: int) -> None:
    """Every line that a reader would keep must be a metric record; a kill may have torn the last one."""
    path = run.folder / "history.jsonl"
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in iter(partial(lines.readline, MAX_LINE), ""):
            kept = History.from_lines([line])
            is_torn = not line.endswith("\n") and len(line) < MAX_LINE and not (kept.steps or kept.epochs)
            if not is_torn and not _is_record(line, classes):
                raise _refusal(run, "history.jsonl", "damaged")


def _is_record(line: str, classes: int) -> bool:
    try:
        record = _RECORD.validate_json(line, strict=True)
    except ValidationError:
        return False
    return record.kind != "epoch" or len(record.per_class) == classes


def _check_weights(run: Run) -> None:
    """Headers only: whether the tensors fit the network is told where it is built."""
    for path in [*sorted((run.folder / "weights").glob("*")), *run.folder.glob("checkpoint.safetensors")]:
        try:
            with safe_open(path, framework="pt"):
                pass
        except (OSError, SafetensorError) as error:
            name = path.relative_to(run.folder).as_posix()
            raise _refusal(run, name, "no safetensors file") from error


def _refusal(run: Run, name: str, reason: str) -> RunError:
    return RunError(f"run {run.id}: its {name} is {reason}")
