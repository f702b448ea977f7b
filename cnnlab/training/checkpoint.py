"""The state that a training continues from, beside its network's weights, and its file; nothing is unpickled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from cnnlab.errors import CnnLabError

Rate = Annotated[FiniteFloat, Field(gt=0)]


class CheckpointError(CnnLabError, ValueError):
    """A checkpoint that cannot be read or belongs to another training."""


class Progress(BaseModel):
    """The progress of a training, and the state of its schedule."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: Annotated[int, Field(ge=1, le=100_000)]  # the last complete one
    step: Annotated[int, Field(ge=1)]
    seconds: Annotated[FiniteFloat, Field(ge=0)]  # of the complete epochs
    changes: tuple[tuple[Annotated[int, Field(ge=1)], Rate], ...] = ()  # pairs of a step and the rate set for it
    scaler: dict[str, FiniteFloat | int]  # of the loss, with 16-bit floats
    best_loss: FiniteFloat | None  # of validation; None before an epoch was watched
    best_epoch: Annotated[int, Field(ge=0)]
    wanted_rate: Rate | None = None  # set by hand for the next step
    history: tuple[str, ...] = ()  # the last epoch's lines

    # Older versions saved the state of torch's schedulers. Only the next step's rate is read; it is never written.
    rates: Annotated[tuple[FiniteFloat, ...], Field(exclude=True)] = ()
    groups: Annotated[object, Field(exclude=True)] = None
    base_rates: Annotated[object, Field(exclude=True)] = None
    schedule_step: Annotated[object, Field(exclude=True)] = None


@dataclass(frozen=True)
class Checkpoint:
    """The state that the next epoch depends on: a training that continues from it takes the same steps."""

    tensors: dict[str, Tensor]  # of the optimiser, random generators, the best weights so far
    progress: Progress


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint as safetensors, the progress in its metadata."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()}
    save_file(tensors, path, metadata={"progress": checkpoint.progress.model_dump_json()})


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint. Raises CheckpointError where it is missing or damaged."""
    with _opened(path) as file:
        progress = _progress_of(file)
        return Checkpoint({name: file.get_tensor(name) for name in file.keys()}, progress)  # noqa: SIM118 - no mapping


def read_progress(path: Path) -> Progress:
    """Read the progress without the tensors. Raises as ``read_checkpoint``."""
    with _opened(path) as file:
        return _progress_of(file)


def _progress_of(file: Any) -> Progress:
    return Progress.model_validate_json((file.metadata() or {}).get("progress", ""))


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a safetensors file. Raises CheckpointError where it cannot be read."""
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except ValidationError as error:
        raise CheckpointError("no readable checkpoint (its progress is unknown)") from error
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"no readable checkpoint ({error})") from error


def under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names start with ``prefix`` and a dot, by their names without it."""
    return {name[len(prefix) + 1 :]: tensor for name, tensor in tensors.items() if name.startswith(f"{prefix}.")}
