"""Several processes that write the same files at once, some of them killed: nothing is lost, refused or half read."""

from __future__ import annotations

from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from pydantic import ValidationError

from cnnlab.networks.architecture import Draft
from cnnlab.networks.designs import DesignError, Shelf
from cnnlab.networks.presets import PRESETS
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig

WRITERS, WRITES = 3, 8
LONGEST_SECONDS = 0.2  # until one of them is killed

_processes = get_context("fork")  # a child has everything imported at once


def unharmed(rounds: int, folder: Path, seed: int = 0) -> int:
    """In how many of ``rounds`` all that a writer had been told was written was there, whole, in the end."""
    random, store = Random(seed), RunStore(folder)
    return sum(_is_unharmed(store.create(RunConfig()), Shelf(folder / str(number)), random) for number in range(rounds))


def _is_unharmed(run: Run, shelf: Shelf, random: Random) -> bool:
    pipes = [_processes.Pipe(duplex=False) for _ in range(WRITERS)]
    writers = [
        _processes.Process(target=_write, args=[run, shelf, writer, teller]) for writer, (_, teller) in enumerate(pipes)
    ]
    for process in writers:
        process.start()
    writers[0].join(random.uniform(0, LONGEST_SECONDS))
    writers[0].kill()
    for process in writers:
        process.join()
    told = [[listener.recv() for _ in iter(listener.poll, False)] for listener, _ in pipes]
    saved = {title for titles in told for title in titles}
    return "" not in saved and all(len(titles) == WRITES for titles in told[1:]) and saved <= _kept(run, shelf)


def _write(run: Run, shelf: Shelf, writer: int, teller: Connection) -> None:
    """Save, describe and read; tell of each design that is saved, or of an empty one where something failed."""
    tag = str(writer)
    for number in range(WRITES):
        title = f"{writer} {number}"
        try:
            run.write_summary(run.summary.model_copy(update={"error": title * 1000}))
            run.change_about(**({"note": title} if writer else {"tags": (tag,)}))
            shelf.save(_design(title))
            _ = run.summary.id, shelf.load("shared")
        except (DesignError, RunError, ValidationError):
            title = ""
        teller.send(title)


def _design(title: str) -> Draft:
    return Draft.model_validate(PRESETS["quick"].model_dump() | {"name": "shared", "title": title})


def _kept(run: Run, shelf: Shelf) -> set[str]:
    """Titles of the designs that are there or can be restored; none where the run cannot be read."""
    if run.summary.id != run.id or not run.about.note:
        return set()
    kept = {shelf.load("shared").title}
    for key in shelf.deleted():
        shelf.restore(key)
        kept.add(shelf.load("shared").title)
    return kept
