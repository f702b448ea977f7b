"""Checks of a run from elsewhere before it joins the runs of this machine. Nothing is unpickled."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod
from pathlib import Path
from typing import NamedTuple, TypeVar

import torch
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from cnnlab.data.datasets import DATASETS
from cnnlab.data.pictures.store import is_own_key
from cnnlab.files import plain_json, read_limited
from cnnlab.networks.architecture import BYTES_PER_NUMBER, ArchitectureError, LayerSummary, summarise
from cnnlab.networks.build import build, parted
from cnnlab.pretrained.matching import longest_backbone
from cnnlab.runs.resource_log import NAME as RESOURCES
from cnnlab.runs.resource_log import read_lines
from cnnlab.runs.run import MAX_LINE, MAX_READ, Run, RunError
from cnnlab.runs.summary import About, Summary
from cnnlab.training.config import RunConfig, last_epoch
from cnnlab.training.history import History, from_line
from cnnlab.training.resources import from_lines

MAX_WEIGHTS = 120_000_000  # bytes of an epoch: 30 million parameters, as the largest backbone has
MAX_MACS = 1_000_000_000  # of a network on one image: 25 times the largest preset's
MAX_ACTIVATIONS = 100_000_000  # bytes of a network on one image: 70 times the largest preset's
BACKBONE_MACS, BACKBONE_ACTIVATIONS = 6_000_000_000, 400_000_000  # of layers that are a published backbone's
MAX_HEADER = 2_000_000  # bytes of a safetensors file beside its tensors: their names, the history of an epoch
MAX_GENERATOR = 10_000  # bytes of a random generator's state: a CPU's has 5,056
MOMENTS = ("exp_avg", "exp_avg_sq", "momentum_buffer", "square_avg")  # what optimisers keep of each parameter
TYPES = {torch.float32: "F32", torch.int64: "I64"}  # of weights, as safetensors calls them
YEARS = range(1970, 9999)  # in which it was created; dates at the calendar's ends have no local time

_T = TypeVar("_T")
_CONFIG = TypeAdapter(RunConfig)
_SUMMARY = TypeAdapter(Summary)
_ABOUT = TypeAdapter(About)


class Form(NamedTuple):
    """Type and shape of a tensor as a header gives them."""

    shape: tuple[int, ...]
    type: str


Forms = dict[str, Form]


def admit(run: Run) -> None:
    """Check every file of a run; a run that says that it is running is marked as interrupted.

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
    _check_resources(run)
    _check_tensors(run, config, summary)
    if summary.status == "running":
        run.write_summary(summary.model_copy(update={"status": "interrupted"}))


def _read(run: Run, name: str, kind: TypeAdapter[_T]) -> _T:
    try:
        return kind.validate_json(plain_json(read_limited(run.folder / name, MAX_READ[name])))
    except FileNotFoundError as error:
        raise _refusal(run, name, "missing") from error
    except (OSError, ValidationError) as error:
        raise _refusal(run, name, "damaged") from error


def _check_data(run: Run, config: RunConfig, summary: Summary) -> None:
    """Check that classes and images are the data set's; a run that ended before it had read them has none."""
    spec = DATASETS.get(config.dataset)
    if spec is None and is_own_key(config.dataset):  # its pictures may come later: pages say that they are missing
        return
    if spec is None:
        raise _refusal(run, "config.json", "of a data set that is not known here")
    if summary.classes and (summary.classes, summary.shape) != (spec.classes, spec.shape):
        raise _refusal(run, "summary.json", f"of other classes or images than those of {spec.title}")


def _check_network(run: Run, config: RunConfig, summary: Summary) -> None:
    """Check that building and running the network takes no more memory than allowed."""
    try:
        rows = summarise(config.architecture, summary.shape, len(summary.classes))
    except ArchitectureError:  # never built, as in a run that ended before it had read its data
        return
    weights = BYTES_PER_NUMBER * sum(row.parameters for row in rows)
    known = longest_backbone(config.architecture)
    of_backbone, others = rows[:known], rows[known:]
    is_too_large = (
        weights > MAX_WEIGHTS
        or _exceeds(of_backbone, BACKBONE_MACS, BACKBONE_ACTIVATIONS)
        or _exceeds(others, MAX_MACS, MAX_ACTIVATIONS - BYTES_PER_NUMBER * prod(summary.shape))
    )
    if is_too_large:
        raise _refusal(run, "config.json", "of too large a network")


def _exceeds(rows: Sequence[LayerSummary], macs: int, activations: int) -> bool:
    """Tell whether layers take more multiply-accumulates on one image, or more bytes of outputs, than allowed."""
    return sum(row.macs for row in rows) > macs or sum(row.activation_bytes for row in rows) > activations


def _check_history(run: Run, classes: int) -> None:
    """Check that every line that a reader would use is a metric record; a kill may have torn the last one."""
    path = run.folder / "history.jsonl"
    if not path.exists():
        return
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        for line in iter(partial(lines.readline, MAX_LINE), ""):
            kept = History.from_lines([line])
            is_torn = not line.endswith("\n") and len(line) < MAX_LINE and not (kept.steps or kept.epochs)
            if not is_torn and not _is_record(line, classes):
                raise _refusal(run, "history.jsonl", "damaged")


def _check_resources(run: Run) -> None:
    """Check that every line is a sample, and that they are not too many; a kill may have torn the last one."""
    try:
        lines = read_lines(run)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _refusal(run, RESOURCES, "damaged") from error
    if len(from_lines(lines)) < len(lines) - 1:
        raise _refusal(run, RESOURCES, "damaged")


def _is_record(line: str, classes: int) -> bool:
    try:
        record = from_line(line)
    except ValidationError:
        return False
    return record.kind != "epoch" or len(record.per_class) == classes


def _check_tensors(run: Run, config: RunConfig, summary: Summary) -> None:
    """Check that every file holds the tensors of the run's network or of its training, and no others."""
    frozen, network = _network(config, summary)
    _check_frozen(run, frozen)
    weights = {name: _form(tensor) for name, tensor in network.state_dict().items()}
    last = last_epoch(config, summary.extensions)
    epochs = {f"epoch-{epoch:03d}.safetensors" for epoch in range(last + 1)}
    for path in sorted((run.folder / "weights").glob("*")):
        if path.name not in epochs:
            raise _refusal(run, f"weights/{path.name}", f"of none of its {last} epochs")
        if _header(run, path) != weights:
            raise _refusal(run, f"weights/{path.name}", "of another network")
    known = _training_forms(network)
    kept = sorted(run.checkpoints.folder.glob("*"))
    for path in kept:
        if path.name not in epochs:
            raise _refusal(run, f"checkpoints/{path.name}", f"of none of its {last} epochs")
    for path in (*kept, *run.folder.glob("checkpoint.safetensors")):
        if not all(known.get(name) == form or _is_generator(name, form) for name, form in _header(run, path).items()):
            raise _refusal(run, _name(run, path), "of another training")


def _check_frozen(run: Run, frozen: nn.Module) -> None:
    """Check that the weights of layers that do not learn are those that the run names, and fit."""
    expected = {name: _form(tensor) for name, tensor in frozen.state_dict().items()}
    digest = run.summary.frozen
    if bool(expected) != bool(digest) and run.epochs():
        raise _refusal(run, "summary.json", "of a run with other frozen layers")
    if digest:
        if _header(run, run.frozen_store.path(digest)) != expected:
            raise _refusal(run, f"pretrained/{digest}.safetensors", "of another network")
        _ = run.frozen_weights  # raises where the contents are others


def _network(config: RunConfig, summary: Summary) -> tuple[nn.Module, nn.Module]:
    """Return the run's frozen layers and those that learn, without values.

    A network that cannot be built has no layers here, as it has no weights.
    """
    try:
        with torch.device("meta"):
            if summary.classes:
                return parted(build(config.architecture, summary.shape, len(summary.classes)), config.learn_from)
    except ArchitectureError:
        pass
    return nn.Module(), nn.Module()


def _training_forms(network: nn.Module) -> Forms:
    """Return what a ``Training.checkpoint`` may hold: weights, the best and those that train; moments and steps."""
    weights = {name: _form(tensor) for name, tensor in network.state_dict().items()}
    forms = {f"{kind}.{name}": form for kind in ("best", "trained") for name, form in weights.items()}
    for place, parameter in enumerate(network.parameters()):
        forms |= {f"optimizer.{place}.{moment}": _form(parameter) for moment in MOMENTS}
        forms[f"optimizer.{place}.step"] = Form((), TYPES[torch.float32])
    return forms


def _is_generator(name: str, form: Form) -> bool:
    return name in ("draws", "dropout") and form.type == "U8" and prod(form.shape) <= MAX_GENERATOR


def _form(tensor: Tensor) -> Form:
    return Form(tuple(tensor.shape), TYPES[tensor.dtype])


def _header(run: Run, path: Path) -> Forms:
    """Return the contents that a safetensors file declares; safetensors checks them against the file's length."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
        if MAX_HEADER < length < path.stat().st_size:  # reading it would take many times its bytes of memory
            raise _refusal(run, _name(run, path), "longer than its tensors")
        with safe_open(path, framework="pt") as tensors:
            slices = {name: tensors.get_slice(name) for name in tensors.keys()}  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError) as error:
        raise _refusal(run, _name(run, path), "no safetensors file") from error
    return {name: Form(tuple(one.get_shape()), one.get_dtype()) for name, one in slices.items()}


def _name(run: Run, path: Path) -> str:
    return path.relative_to(run.folder).as_posix() if path.is_relative_to(run.folder) else path.name


def _refusal(run: Run, name: str, reason: str) -> RunError:
    return RunError(f"run {run.id}: its {name} is {reason}")
