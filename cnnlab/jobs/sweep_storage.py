"""Where a sweep keeps its trials: Optuna's journal, a line for each change, or the SQLite database of older sweeps.

Only who holds the sweep's lock writes; anybody may read meanwhile, and leaves a last line alone that is half written.
"""

from __future__ import annotations

from pathlib import Path

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

from cnnlab.jobs.trial_pruning import KEPT_OF, STARTUP_TRIALS, WARMUP_EPOCHS, PrunerName

JOURNAL, DATABASE = "study.jsonl", "study.db"

optuna.logging.set_verbosity(optuna.logging.WARNING)


class _SweepsOwnLock(JournalFileSymlinkLock):
    """No lock beside the sweep's: Optuna's outlives a process that was killed, and is then waited for."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass


def create_study(folder: Path) -> None:
    """Begin the journal of a new sweep. Raises OSError."""
    optuna.create_study(study_name=folder.name, storage=_journal(folder.resolve() / JOURNAL), direction="maximize")


def load_study(folder: Path, pruner: PrunerName) -> optuna.Study:
    """Open the study of a sweep. Raises whatever Optuna does where it is missing or damaged."""
    return optuna.load_study(study_name=folder.name, storage=_storage(folder), pruner=pruner_of(pruner))


def pruner_of(name: PrunerName) -> optuna.pruners.BasePruner:
    """Return Optuna's pruner of this name."""
    match name:
        case "median":
            return optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS, n_warmup_steps=WARMUP_EPOCHS)
        case "halving":
            return optuna.pruners.SuccessiveHalvingPruner(min_resource=WARMUP_EPOCHS, reduction_factor=KEPT_OF)
        case _:
            return optuna.pruners.NopPruner()


def storage_name(folder: Path) -> str:
    """Return the name of the file that a sweep has its trials in."""
    return DATABASE if (folder / DATABASE).exists() else JOURNAL


def cut_torn_line(folder: Path) -> None:
    """Cut off the last line of the journal, where a killed process left it half written. Raises OSError."""
    path = folder / JOURNAL
    if not path.exists():
        return
    with path.open("r+b") as file:
        content = file.read()
        if (whole := content.rfind(b"\n") + 1) and whole < len(content):
            file.truncate(whole)


def _storage(folder: Path) -> BaseStorage:
    path = folder.resolve() / storage_name(folder)
    if not path.is_file():  # Optuna would create one
        raise FileNotFoundError("it is missing")
    return RDBStorage(f"sqlite:///{path}") if path.name == DATABASE else _journal(path)


def _journal(path: Path) -> JournalStorage:
    return JournalStorage(JournalFileBackend(str(path), lock_obj=_SweepsOwnLock(str(path))))
