"""The weights of layers that do not learn, in an archive of runs: once for all runs that share them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from shutil import copyfile

from cnnlab.files import atomic_file
from cnnlab.pretrained.weights import WeightStore
from cnnlab.runs.run import Run, frozen_store

FOLDER = "pretrained"
ENTRY = rf"{FOLDER}/[0-9a-f]{{64}}\.safetensors"


def files(runs: Sequence[Run]) -> dict[str, Path]:
    """Return the files of frozen weights of ``runs`` by their names in an archive. Raises RunError as they do."""
    digests = {run.summary.frozen: run.frozen_store for run in runs if run.summary.frozen and run.frozen_weights}
    return {f"{FOLDER}/{digest}.safetensors": store.path(digest) for digest, store in digests.items()}


def lay_out(arriving: Path, own: WeightStore) -> None:
    """Put an archive's weights where its runs look for them; those that an archive lacks may be here already."""
    arrived = WeightStore(arriving / FOLDER)
    arrived.folder.mkdir(exist_ok=True)
    if own.folder.is_dir():
        for known in own.folder.glob("*.safetensors"):
            if not arrived.path(known.stem).exists():
                with suppress(OSError):  # a file system without links: then the archive has to bring them
                    arrived.path(known.stem).hardlink_to(known)
    arrived.folder.rename(frozen_store(arriving).folder)


def take_in(runs: Sequence[Run], own: WeightStore) -> None:
    """Copy the weights of runs that were checked to those of this machine. Raises OSError."""
    for name, path in files(runs).items():
        target = own.folder / Path(name).name
        if not target.exists():
            own.folder.mkdir(exist_ok=True)
            with atomic_file(target) as aside:
                copyfile(path, aside)
