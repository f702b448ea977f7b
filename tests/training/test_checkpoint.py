from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from cnnlab.training.checkpoint import Checkpoint, CheckpointError, Progress, read_checkpoint, write_checkpoint

PROGRESS = Progress(
    epoch=3,
    step=12,
    seconds=1.5,
    changes=((5, 0.1 + 0.2), (9, 0.3)),
    scaler={},
    best_loss=None,
    best_epoch=0,
    history=('{"kind": "step"}',),
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    tensors = {"optimizer.0.exp_avg": torch.randn(2, 3), "draws": torch.Generator().get_state()}
    write_checkpoint(tmp_path / "kept", Checkpoint(tensors, PROGRESS))
    found = read_checkpoint(tmp_path / "kept")
    assert found.progress == PROGRESS
    assert found.tensors.keys() == tensors.keys()
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in tensors.items())


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {},
        {"progress": "{"},
        {"progress": "[]"},
        {"progress": "[" * 100_000},
        {"progress": PROGRESS.model_copy(update={"epoch": 0}).model_dump_json()},
        {"progress": PROGRESS.model_dump_json().replace("1.5", "1e999")},
        {"progress": PROGRESS.model_dump_json().replace('"changes"', '"params"')},
    ],
    ids=str,
)
def test_foreign_progress_is_refused_in_one_line(metadata: dict[str, str] | None, tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "kept", metadata=metadata)
    with pytest.raises(CheckpointError, match="no readable checkpoint") as caught:
        read_checkpoint(tmp_path / "kept")
    assert "\n" not in str(caught.value)


def test_a_torn_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    write_checkpoint(path, Checkpoint({"a": torch.zeros(100)}, PROGRESS))
    whole = path.read_bytes()
    for length in (0, 5, 50, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError):
            read_checkpoint(path)
