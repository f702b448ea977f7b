"""An overview of all runs of a folder, which reads only what has changed; as a table to search and to sort."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property, lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import pandas as pd

from cnnlab.data.datasets import dataset_title
from cnnlab.networks.architecture import Architecture, ArchitectureError, summarise
from cnnlab.networks.layers import Layer, Shape
from cnnlab.runs.disk import MB, taken_by
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore, runs_in
from cnnlab.runs.summary import About, Summary, brief_title, title_of
from cnnlab.training.config import RunConfig, field_title, last_epoch

_FILES = ("config.json", "summary.json", "about.json", "weights")  # a run is read again when one of these changes

_Stamp = tuple[int, ...]


@dataclass(frozen=True)
class Entry:
    """A run as it was when it was last read."""

    run: Run
    config: RunConfig
    summary: Summary
    about: About
    is_trained: bool  # it has weights that can be shown
    last_saved: int = 0  # the last epoch with weights

    @property
    def id(self) -> str:
        return self.run.id

    @cached_property
    def title(self) -> str:
        return title_of(self.config, self.summary, self.about)

    @property
    def epochs(self) -> int:
        """The number of epochs that it is to have, or had, in the end."""
        return last_epoch(self.config, self.summary.extensions)

    @property
    def progress(self) -> str:
        """How far a training came that ended before its planned epochs: "7 of 45"; else empty."""
        is_short = 0 < self.last_saved < self.epochs and self.summary.status != "running"
        return f"{self.last_saved} of {self.epochs}" if is_short else ""

    @cached_property
    def unseeded(self) -> dict[str, Any]:
        """The settings that its repeats with other seeds share."""
        return trained_with(self) | {"seed": 0}

    @cached_property
    def row(self) -> dict[str, Any]:
        """Every setting and result, in columns named for readers."""
        return _row(self)


class Catalogue:
    """The runs of a store. It is thread-safe."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._known: dict[str, tuple[_Stamp, Entry | None]] = {}
        self._lock = Lock()

    def entries(self) -> list[Entry]:
        """Return every readable run, the newest first."""
        with self._lock:
            self._known = {run.id: self._read(run) for run in runs_in(self._store.folder)}
            return [entry for _, entry in self._known.values() if entry]

    def _read(self, run: Run) -> tuple[_Stamp, Entry | None]:
        stamp = _stamp(str(run.folder))
        before, entry = self._known.get(run.id, ((), None))
        if stamp != before or (entry and entry.summary.status == "running"):  # its training may have died
            with suppress(RunError):
                return stamp, read_entry(run)
            return stamp, None
        return stamp, entry


def read_entry(run: Run) -> Entry:
    """Read a run from disk. Raises RunError where it is damaged."""
    saved = run.epochs()
    return Entry(run, run.config, run.summary, run.about, bool(saved), max(saved, default=0))


def table(entries: Sequence[Entry]) -> pd.DataFrame:
    """Return the rows of ``entries`` as a table, by their runs' ids."""
    rows, ids = [entry.row for entry in entries], [entry.id for entry in entries]
    return pd.DataFrame(rows, index=pd.Index(ids, dtype=str), columns=_columns())


def search(rows: pd.DataFrame, words: str) -> pd.DataFrame:
    """Return the rows in whose text each of the ``words`` occurs, in upper or lower case."""
    found = pd.Series(True, index=rows.index)
    for word in words.casefold().split():
        found &= rows["Text"].str.contains(word, regex=False)
    return rows[found]


def settings_of(rows: pd.DataFrame) -> list[str]:
    """Return the columns of a table that are settings beside data set and network."""
    return [name for name in map(field_title, RunConfig.model_fields) if name in rows.columns]


@cache
def _columns() -> list[str]:
    """Return the columns, which an empty table has too."""
    summary = Summary(id="example", created=datetime.now(UTC))
    return list(_row(Entry(Run(Path("example")), RunConfig(), summary, About(), is_trained=False)))


def trained_with(entry: Entry) -> dict[str, Any]:
    """Return the settings of a training: its config's fields as ``flat``, and the changes made by hand."""
    summary = entry.summary
    more = ", ".join(f"{more.epochs} epochs from {more.learning_rate:g}" for more in summary.extensions)
    return flat(entry.config) | {"trained on": more or "no", "learning rate set by hand": summary.rates_set}


def flat(config: RunConfig) -> dict[str, Any]:
    """Return a config's fields as one level of scalars; the network as its title and its layers."""
    return {
        "architecture": config.architecture.title,
        "layers": " · ".join(_layer(layer) for layer in config.architecture.layers),
        **config.scalars(),
    }


@lru_cache(maxsize=1024)
def macs(architecture: Architecture, shape: Shape, classes: int) -> int | None:
    """Return the multiply-accumulates for one image; None where the network does not take such images."""
    try:
        return sum(row.macs for row in summarise(architecture, shape, classes))
    except ArchitectureError:
        return None


def _stamp(folder: str) -> _Stamp:
    """Return when each of the files last changed, 0 where it is missing; plain strings, as it is called often."""
    stamp = []
    for name in _FILES:
        try:
            stamp.append(os.stat(f"{folder}/{name}").st_mtime_ns)  # noqa: PTH116
        except OSError:
            stamp.append(0)
    return tuple(stamp)


def _row(entry: Entry) -> dict[str, Any]:
    config, summary, about = entry.config, entry.summary, entry.about
    chosen = {name: value for name, value in config.scalars().items() if name != "dataset"} | {"epochs": entry.epochs}
    return {
        "Pinned": about.pinned,
        "Title": about.title or brief_title(config),
        "Name": entry.title,
        "Started": summary.created,
        "Data set": dataset_title(config.dataset),
        "Network": config.architecture.title,
        "State": summary.status,
        "Came to": ", ".join(filter(None, (summary.status, entry.progress))),
        "Colour": about.colour,
        "Test": summary.test_accuracy,
        "Balanced": summary.balanced_accuracy if summary.is_imbalanced else None,
        "Macro F1": summary.macro_f1 if summary.is_imbalanced else None,
        "Validation": summary.validation_accuracy,
        "Train": summary.train_accuracy,
        "Parameters": summary.parameters,
        "MACs": macs(config.architecture, summary.shape, len(summary.classes)),
        "Time, s": summary.seconds,
        "Disk, MB": taken_by(entry.run, summary) / MB,
        "Images/s": summary.images_per_second,
        "Tags": list(about.tags),
        **{field_title(name): value for name, value in chosen.items()},
        "Device used": summary.device,
        "Run": entry.id,
        "Text": _text(entry.id, entry.title, config.dataset, config.architecture.title, *about.tags, about.note),
    }


def _text(*parts: str) -> str:
    return "\n".join(parts).casefold()


def _layer(layer: Layer) -> str:
    if layer.family == "activation":
        return layer.label
    settings = layer.model_dump(exclude_defaults=True, exclude={"kind", "name"})
    shown = ", ".join(f"{name}={value}" for name, value in settings.items())
    return f"{layer.kind_title}({shown})" if shown else layer.kind_title
