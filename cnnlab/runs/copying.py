"""A run copied as another: what happens to the one does not change the other."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from shutil import copy2, copytree, ignore_patterns

from cnnlab.files import folder_aside
from cnnlab.people.belonging import FILE as BELONGS
from cnnlab.runs.journal import note
from cnnlab.runs.run import Run, writing
from cnnlab.runs.store import new_id
from cnnlab.runs.summary import About

_OWN = ignore_patterns("lock", BELONGS, ".*")  # what belongs to the run's folder, and files that are being written


def copied(run: Run, about: About) -> Run:
    """Copy a run beside it, as nobody's, with these notes; the copy is there as a whole or not at all.

    Weights take no further room on disk where it can link them. Raises RunError where the run is being trained, is
    damaged, or the copy cannot be written.
    """
    runs, summary = run.folder.parent, run.summary
    with run.held(), writing(runs), folder_aside(runs) as aside:
        copy = Run(aside / new_id(datetime.now(UTC)))
        copytree(run.folder, copy.folder, ignore=_OWN, copy_function=_linked)
        copy.write_summary(summary.model_copy(update={"id": copy.id, "forecast": None}))  # which judges one run alone
        copy.write_about(about)
        copy.folder.rename(runs / copy.id)
    note(runs, copy.id)
    return Run(runs / copy.id)


def _linked(source: str, target: str) -> str:
    """Link a file of tensors, which is never changed, only replaced; copy others, to which lines may be added."""
    if source.endswith(".safetensors"):
        try:
            os.link(source, target)
            return target
        except OSError:  # the file system knows no links
            pass
    return str(copy2(source, target))
