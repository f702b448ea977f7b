from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from cnnlab.checkpoint import Checkpoint, CheckpointError, read_checkpoint, write_checkpoint


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    tensors = {"optimizer.0.exp_avg": torch.randn(2, 3), "draws": torch.Generator().get_state()}
    numbers = {"epoch": 3, "schedule": {"_last_lr": [0.1 + 0.2]}, "best": {"loss": float("inf")}}
    write_checkpoint(tmp_path / "kept", Checkpoint(tensors, numbers))
    found = read_checkpoint(tmp_path / "kept")
    assert found.numbers == numbers
    assert found.tensors.keys() == tensors.keys()
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in tensors.items())


@pytest.mark.parametrize("numbers", [None, {}, {"numbers": "{"}, {"numbers": "[]"}, {"numbers": "[" * 100_000}])
def test_foreign_numbers_are_refused_in_one_line(numbers: dict[str, str] | None, tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "kept", metadata=numbers)
    with pytest.raises(CheckpointError, match="no readable checkpoint"):
        read_checkpoint(tmp_path / "kept")


def test_a_torn_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    write_checkpoint(path, Checkpoint({"a": torch.zeros(100)}, {"epoch": 1}))
    whole = path.read_bytes()
    for length in (0, 5, 50, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError):
            read_checkpoint(path)
