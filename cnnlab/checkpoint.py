"""What a training needs to go on, beside its network's weights, and the file that keeps it; nothing is unpickled."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor


class CheckpointError(ValueError):
    """A checkpoint that cannot be read or belongs to another training."""


@dataclass(frozen=True)
class Checkpoint:
    """What the next epoch depends on: a training that goes on from here takes the same steps."""

    tensors: dict[str, Tensor]  # of the optimiser, random generators, the best weights so far
    numbers: dict[str, Any]  # JSON: counts, rates, the schedule


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """As safetensors, the numbers in its metadata."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()}
    save_file(tensors, path, metadata={"numbers": json.dumps(checkpoint.numbers)})


def read_checkpoint(path: Path) -> Checkpoint:
    """Raises CheckpointError where it is missing or damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
            numbers = json.loads((file.metadata() or {})["numbers"])
    except (OSError, SafetensorError, KeyError, ValueError, RecursionError) as error:
        raise CheckpointError(f"no readable checkpoint ({error})") from error
    if not isinstance(numbers, dict):
        raise CheckpointError("no readable checkpoint (its numbers are none)")
    return Checkpoint(tensors, numbers)
