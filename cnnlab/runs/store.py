"""The store of all runs in a folder: create, open, delete and restore."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from cnnlab.files import DELETED_ARE_KEPT, is_older
from cnnlab.people.belonging import give
from cnnlab.places import user_folder
from cnnlab.runs.example import example_id, is_wanted
from cnnlab.runs.past_looks import PastLooks
from cnnlab.runs.run import Run, RunError, write_aside, writing
from cnnlab.runs.summary import Forecast, Summary
from cnnlab.training.config import RUN_ID, RunConfig

DELETED = ".deleted"  # folder of the deleted runs


class RunStore:
    """All runs of a folder, which is created with the first run; new ones are the ``owner``'s, if there is one."""

    def __init__(self, folder: Path, owner: str = "") -> None:
        self.folder = folder
        self.owner = owner

    def create(self, config: RunConfig, provable: bool = False, forecast: Forecast | None = None) -> Run:
        """Create the folder of a new run with its config; its id cannot be guessed, and ids sort by time.

        A ``provable`` one keeps the checkpoint of each epoch. The ``forecast`` is kept with it. Raises RunError where
        it cannot be written.
        """
        created = datetime.now(UTC)
        run_id = new_id(created)
        run = Run(self.folder / run_id)
        with writing(self.folder):
            (run.checkpoints.folder if provable else run.folder).mkdir(parents=True)
        indent = None if config.lessons else 1  # long lists of numbers
        try:
            with writing(self.folder):
                give(run.folder, self.owner)  # first: without an owner others would see it
            write_aside(run.folder / "config.json", config.model_dump_json(indent=indent))
            run.write_summary(Summary(id=run_id, created=created, forecast=forecast))
        except RunError:
            shutil.rmtree(run.folder, ignore_errors=True)
            raise
        return run

    def open(self, run_id: str) -> Run:
        """Return a run by its id. Raises RunError where there is none."""
        if not RUN_ID.fullmatch(run_id) or not (self.folder / run_id / "config.json").is_file():
            raise RunError(f"there is no run {run_id[:100]!r} in {self.folder}")
        return Run(self.folder / run_id)

    def origin(self, run: Run) -> Run | None:
        """Return the first ancestor of ``run``, itself where it has no parent; None where an ancestor is missing."""
        *_, first = self.lineage(run)
        try:
            return None if first.config.comes_from else first
        except RunError:
            return None

    def lineage(self, run: Run) -> Iterator[Run]:
        """Yield ``run``, the run whose weights it began with, that one's and so on, as far as they are here."""
        seen: set[str] = set()
        with suppress(RunError):
            while run.id not in seen:  # only a forged one is its own ancestor
                seen.add(run.id)
                yield run
                if not (parent := run.config.comes_from):
                    return
                run = self.open(parent.run)

    def all(self) -> list[Run]:
        """Return the readable runs, the newest first."""
        return [run for run in runs_in(self.folder) if _is_readable(run)]

    def delete(self, run_id: str) -> None:
        """Move a run to the deleted ones, from where ``restore`` brings it back; expired ones are removed for good.

        Raises RunError where there is none, it is being trained, or it is the example, which would come back.
        """
        if run_id == example_id() and is_wanted():
            raise RunError("the example comes with the app and would come back: set CNNLAB_EXAMPLE=no to hide it")
        with self.open(run_id).held(), writing(self.folder):  # nobody trains it, or starts to while it moves
            self._deleted.mkdir(exist_ok=True)
            shutil.rmtree(self._deleted / run_id, ignore_errors=True)  # an earlier copy, of a run that was restored
            os.utime(self.folder / run_id)
            (self.folder / run_id).rename(self._deleted / run_id)
        for run in runs_in(self._deleted):
            with suppress(FileNotFoundError):  # restored or deleted meanwhile
                if is_older(run.folder, DELETED_ARE_KEPT):
                    self._remove(run)

    def restore(self, run_id: str) -> None:
        """Bring a deleted run back. Raises RunError where there is none, or another process restores it just now."""
        if run_id not in [run.id for run in self.deleted()]:
            raise RunError(f"there is no deleted run {run_id[:100]!r}: it may be gone for good, or be back")
        with writing(self.folder):
            (self._deleted / run_id).rename(self.folder / run_id)

    def delete_for_good(self, run_id: str) -> None:
        """Remove a deleted run, which frees its room. Raises RunError where there is none, or it cannot be removed."""
        if run_id not in [run.id for run in self.deleted()]:
            raise RunError(f"there is no deleted run {run_id[:100]!r}: it may be gone for good, or be back")
        with writing(self.folder):
            self._remove(Run(self._deleted / run_id))

    def deleted(self) -> list[Run]:
        """Return the readable deleted runs that did not come back in another way, the newest first."""
        away = [run for run in runs_in(self._deleted) if not (self.folder / run.id).exists()]
        return [run for run in away if _is_readable(run)]

    def has(self, run_id: str) -> bool:
        """Check whether a run of that id is here, or a deleted one of somebody else, who may want to restore it."""
        deleted = self._deleted / run_id
        return (self.folder / run_id).exists() or (deleted.exists() and Run(deleted).owner != self.owner)

    def _remove(self, run: Run) -> None:
        """Remove a deleted run for good; how often somebody looked at the test images with it stays known."""
        owner, looks = run.owner, run.looks
        dataset = run.config.dataset if owner and looks and _is_readable(run) else ""
        shutil.rmtree(run.folder)
        if dataset:
            PastLooks(self.folder).add(owner, dataset, looks)

    @property
    def _deleted(self) -> Path:
        return self.folder / DELETED


def new_id(created: datetime) -> str:
    """Return an id for a run; it cannot be guessed, and ids sort by time."""
    return f"{created:%Y%m%d-%H%M%S-%f}-{secrets.token_hex(6)}"


def runs_in(folder: Path) -> list[Run]:
    """Return a run for each folder with a run's name, readable or not, the newest first."""
    return [Run(folder / run_id) for run_id in ids_in(folder)]


def ids_in(folder: Path, known: frozenset[str] = frozenset()) -> list[str]:
    """Return the names of the folders that are named as runs, the newest first; those ``known`` need no other look."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        names = [
            entry.name for entry in entries if entry.name in known or (RUN_ID.fullmatch(entry.name) and entry.is_dir())
        ]
    return sorted(names, reverse=True)


def runs_folder() -> Path:
    """Return the folder of runs: the environment's CNNLAB_RUNS, else ``runs/`` in the user's folder."""
    return Path(os.environ.get("CNNLAB_RUNS") or user_folder() / "runs").expanduser()


def _is_readable(run: Run) -> bool:
    try:
        return bool(run.config and run.summary)
    except RunError:
        return False
