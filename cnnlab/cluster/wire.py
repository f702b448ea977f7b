"""What travels between the server and a node: plain values, tensors as safetensors bytes, images as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from itertools import zip_longest
from typing import Annotated, Any, cast
from warnings import catch_warnings, simplefilter

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field, TypeAdapter
from safetensors.torch import load, save
from torch import Tensor

from cnnlab.data.loading import Data
from cnnlab.data.spec import DatasetSpec
from cnnlab.data.splits import Split
from cnnlab.networks.build import build
from cnnlab.training.checkpoint import Checkpoint, Progress
from cnnlab.training.config import Extension, RunConfig
from cnnlab.training.events import Event
from cnnlab.training.trainer import Report, Saved, Task

Values = dict[str, Any]  # of plain types
Pixels = npt.NDArray[Any]

_LOADERS = ("read", "fetch", "mapped")  # of a data set: a node needs none
_SPLITS = ("train", "validation", "test")
_EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])


def pack(tensors: Mapping[str, Tensor]) -> bytes:
    """Write tensors of any device and layout as safetensors."""
    return save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})


def unpack(content: bytes) -> dict[str, Tensor]:
    """Read what ``pack`` wrote."""
    return load(content)


def pack_task(task: Task, spec: DatasetSpec) -> Values:
    """Write a task, and what its network needs to know of the images."""
    known = [field.name for field in fields(spec) if field.name not in _LOADERS]
    return {
        "config": task.config.model_dump_json(),
        "spec": {name: getattr(spec, name) for name in known},
        "network": pack(task.network.state_dict()),
        "started": task.started,
        "extensions": [extension.model_dump_json() for extension in task.extensions],
        "checkpoint": pack_checkpoint(task.checkpoint) if task.checkpoint else None,
        "threads": task.threads,
        "changes": task.changes,
        "rates": task.rates,
    }


def unpack_task(values: Values) -> tuple[Task, DatasetSpec]:
    """Build the network of a task again, and read the rest."""
    config, checkpoint = RunConfig.model_validate_json(values["config"]), values["checkpoint"]
    spec = DatasetSpec(**values["spec"], mapped=_are_in_the_store)
    network = build(config.architecture, spec.shape, len(spec.classes), config.seed)
    network.load_state_dict(unpack(values["network"]))
    task = Task(
        config=config,
        network=network,
        started=values["started"],
        extensions=tuple(Extension.model_validate_json(extension) for extension in values["extensions"]),
        checkpoint=unpack_checkpoint(checkpoint) if checkpoint else None,
        threads=values["threads"],
        changes=values["changes"],
        rates=values["rates"],
    )
    return task, spec


def _are_in_the_store() -> tuple[Split, Split]:
    """Stand for images that take no memory of a training's process: they lie in the node's object store."""
    raise NotImplementedError


def pack_checkpoint(checkpoint: Checkpoint) -> Values:
    """Write a checkpoint."""
    return {"tensors": pack(checkpoint.tensors), "progress": checkpoint.progress.model_dump_json()}


def unpack_checkpoint(values: Values) -> Checkpoint:
    """Read what ``pack_checkpoint`` wrote."""
    return Checkpoint(unpack(values["tensors"]), Progress.model_validate_json(values["progress"]))


def pack_reports(reports: Sequence[Report]) -> list[Values]:
    """Write events with what is kept of their epochs; of steps in a row, which only count, no more than the last."""
    return [
        {
            "event": _EVENT.dump_python(event, mode="json"),
            "weights": pack(saved.weights) if saved else None,
            "checkpoint": pack_checkpoint(saved.checkpoint) if saved else None,
        }
        for (event, saved), following in zip_longest(reports, reports[1:])
        if event.kind not in ("tick", "prepared") or following is None or following[0].kind != event.kind
    ]


def unpack_report(values: Values) -> Report:
    """Read one of what ``pack_reports`` wrote."""
    event = _EVENT.validate_python(values["event"])
    weights = values["weights"]
    return event, Saved(unpack(weights), unpack_checkpoint(values["checkpoint"])) if weights else None


def pack_data(data: Data) -> tuple[Values, list[Tensor]]:
    """Describe the splits, and list the tensors of pixels that they share, each once."""
    tensors: list[Tensor] = []
    splits = {}
    for name in _SPLITS:
        split: Split = getattr(data, name)
        number = next((at for at, known in enumerate(tensors) if known is split.pixels), len(tensors))
        if number == len(tensors):
            tensors.append(split.pixels)
        rest = {"labels": split.labels, "rows": split.rows, "groups": split.groups}
        splits[name] = {"pixels": number} | {
            key: None if tensor is None else tensor.numpy() for key, tensor in rest.items()
        }
    return splits, tensors


def unpack_data(spec: DatasetSpec, splits: Values, pixels: Sequence[Pixels]) -> Data:
    """Put splits together from the arrays of pixels, which are not copied."""
    images = [_shared(array) for array in pixels]
    made = {}
    for name in _SPLITS:
        values = splits[name]
        labels, rows, groups = (_shared(values[key]) for key in ("labels", "rows", "groups"))
        made[name] = Split(cast("Tensor", images[values["pixels"]]), cast("Tensor", labels), rows, groups)
    return Data(spec, **made)


def _shared(array: Pixels | None) -> Tensor | None:
    """Return an array as a tensor in the same memory, which nobody writes to."""
    with catch_warnings():
        simplefilter("ignore", UserWarning)  # it could be written to
        return None if array is None else torch.from_numpy(np.ascontiguousarray(array))
