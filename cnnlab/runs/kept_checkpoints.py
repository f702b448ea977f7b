"""The checkpoint of each epoch of a run, from which the next epoch can be executed again.

The folder is the mark: where it exists, each epoch's is kept, also when the run is resumed.
"""

from __future__ import annotations

import re
from pathlib import Path

from cnnlab.files import regular
from cnnlab.training.checkpoint import Checkpoint, CheckpointError, read_checkpoint

_FILE = re.compile(r"epoch-([0-9]{3}|1000)\.safetensors")


class KeptCheckpoints:
    """A run's folder of checkpoints, which most runs lack."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def are_kept(self) -> bool:
        return self.folder.is_dir()

    def path(self, epoch: int) -> Path:
        return self.folder / f"epoch-{epoch:03d}.safetensors"

    def read(self, epoch: int) -> Checkpoint:
        """Return the checkpoint after ``epoch``. Raises CheckpointError where it is missing or damaged."""
        try:
            return read_checkpoint(regular(self.path(epoch)))
        except OSError as error:
            raise CheckpointError(f"no readable checkpoint of epoch {epoch}") from error

    def delete_after(self, epoch: int) -> None:
        """Delete those of later epochs, which will be trained again."""
        for path in self.folder.glob("epoch-*.safetensors"):
            if (found := _FILE.fullmatch(path.name)) and int(found[1]) > epoch:
                path.unlink()
