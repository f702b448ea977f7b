"""What every view of Compare gets: the chosen runs by name, and all that the list shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

import pandas as pd

from cnnlab.runs.catalogue import Entry
from cnnlab.runs.comparison import differences
from cnnlab.runs.store import started_at
from cnnlab.training.config import RunConfig

TOLD = 4  # settings at the most that a name tells


@dataclass(frozen=True)
class Chosen:
    """Runs to compare."""

    named: dict[str, Entry]  # by names that tell them apart
    listed: pd.DataFrame  # rows of the catalogue that search and filters leave
    everything: Sequence[Entry]


@dataclass(frozen=True)
class CompareView:
    """A view: its module beside this one and the question it answers."""

    module: str
    question: str

    def show(self, chosen: Chosen) -> None:
        """Draw it; its module is imported now."""
        import_module(f"cnnlab.ui.compare.{self.module}").show(chosen)


def short_names(entries: Sequence[Entry]) -> dict[str, Entry]:
    """Runs by their titles, else by network and data set; where several share that, by what tells them apart.

    Where all share it, only by that.
    """
    plain = [entry.about.title or _what(entry.config) for entry in entries]
    if len(entries) > 1 and len(set(plain)) == 1 and all(_settings_apart(entry, entries) for entry in entries):
        plain = [_settings_apart(entry, entries) for entry in entries]
    for more in (_settings_apart, lambda entry, _: started_at(entry.summary), lambda entry, _: entry.id[-6:]):
        plain = _told_apart(entries, plain, more)
    return dict(zip(plain, entries, strict=True))


def _what(config: RunConfig) -> str:
    return ", ".join(filter(None, (config.architecture.title, config.dataset, config.origin)))


def _told_apart(entries: Sequence[Entry], names: list[str], more: Callable[[Entry, Sequence[Entry]], str]) -> list[str]:
    longer = []
    for entry, name in zip(entries, names, strict=True):
        alike = [other for other, other_name in zip(entries, names, strict=True) if other_name == name]
        addition = more(entry, alike) if len(alike) > 1 else ""
        longer.append(f"{name}, {addition}" if addition else name)
    return longer


def _settings_apart(entry: Entry, alike: Sequence[Entry]) -> str:
    apart = differences({other.id: other for other in alike}).drop(index="layers", errors="ignore")
    told = [f"{name} {_short(value)}" for name, value in apart[entry.id].items()]
    return ", ".join(told) if len(told) <= TOLD else ""


def _short(value: str) -> str:
    try:
        return f"{float(value):.3g}"
    except ValueError:
        return value
