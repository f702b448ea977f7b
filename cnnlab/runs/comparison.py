"""Comparison of runs: settings, curves with their spread over seeds, and accuracy against cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, cycle

import numpy as np
import pandas as pd

from cnnlab.data.datasets import dataset_title
from cnnlab.palette import PALETTE
from cnnlab.runs.entry import Entry, trained_with
from cnnlab.runs.summary import started_at
from cnnlab.training.config import RunConfig, field_title
from cnnlab.training.history import History
from cnnlab.training.titles import phrase, setting_title

AXES = {"epoch": "epoch", "step": "step", "seconds": "seconds since the start"}

TOLD = 4  # settings in a name, at most


def differences(entries: Mapping[str, Entry]) -> pd.DataFrame:
    """Return one row for each setting that differs between runs, one column a run; text, as a column mixes kinds."""
    settings = {name: trained_with(entry.config, entry.summary) for name, entry in entries.items()}
    told = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in settings.items()})
    shown = told.map(str)
    return shown[shown.nunique(axis=1) > 1].rename(lambda field: field.replace("_", " "))


def settings_apart(entries: Mapping[str, Entry]) -> pd.DataFrame:
    """Return ``differences`` as users read them: titles of settings and values; layers only of networks of one name."""
    apart = differences(entries)
    if "architecture" in apart.index:
        apart = apart.drop(index="layers", errors="ignore")
    fields = [name.replace(" ", "_") for name in apart.index]
    told = [[setting_title(field, value) for value in row] for field, row in zip(fields, apart.to_numpy(), strict=True)]
    return pd.DataFrame(told, index=[field_title(field) for field in fields], columns=apart.columns, dtype=object)


def repeats(entry: Entry, entries: Sequence[Entry]) -> list[Entry]:
    """Return ``entry`` and all runs that differ from it only by their seed, provided that both finished.

    Another seed holds out other images too, unless the split has a seed of its own.
    """
    if entry.status != "finished":
        return [entry]
    alike = [other for other in entries if other.unseeded == entry.unseeded]
    return [other for other in alike if other.is_trained and other.status == "finished"]


def curve(histories: Sequence[History], column: str, axis: str) -> pd.DataFrame:
    """Return mean and standard deviation of an epoch's ``column`` over ``histories``, epoch by epoch.

    A run that ended before the others keeps its last value: without it a mean would jump to the runs that continued.
    ``axis`` is one of AXES. Columns x (the mean where repeats took different times), mean, sd (sample, 0 for one run),
    runs, and training: how many of these had not ended.
    """
    frames = [history.epoch_frame().set_index("epoch", drop=False) for history in histories]
    values = pd.concat([frame[column].astype(float) for frame in frames], axis=1)  # (epochs, runs)
    places = pd.concat([frame[axis].astype(float) for frame in frames], axis=1)
    values, places = values.sort_index(), places.sort_index()
    carried = values.ffill()
    return pd.DataFrame(
        {
            "x": places.ffill().mean(axis=1) if axis == "seconds" else places.max(axis=1),
            "mean": carried.mean(axis=1),
            "sd": carried.std(axis=1).fillna(0.0),
            "runs": carried.count(axis=1),
            "training": values.count(axis=1),
        }
    )


def pareto_front(cost: pd.Series[float], gain: pd.Series[float]) -> pd.Index[str]:
    """Return the rows that no other row beats (as cheap and better, or cheaper and as good), the cheapest first."""
    known = pd.DataFrame({"cost": cost, "gain": gain}).dropna()
    ordered = known.sort_values(["cost", "gain"], ascending=[True, False])
    best_before = np.maximum.accumulate(np.concatenate([[-np.inf], ordered["gain"].to_numpy()[:-1]]))
    return ordered.index[ordered["gain"].to_numpy() > best_before]


def apart(x: pd.Series[float], y: pd.Series[float], columns: int = 200, rows: int = 100) -> pd.Index[str]:
    """Return one row for each occupied cell of a plot: a page need not show points that hide each other."""
    cells = pd.DataFrame({"column": _cell(x, columns), "row": _cell(y, rows)})
    return cells.drop_duplicates().index


def _cell(values: pd.Series[float], count: int) -> pd.Series[float]:
    span = values.max() - values.min()
    return ((values - values.min()) / (span or 1.0) * count).round()


def comparable_pairs(entries: Mapping[str, Entry]) -> list[tuple[str, str]]:
    """Return the pairs that were tested on the same images: a branch omits those that its parent was trained on."""
    return [
        (one, other)
        for (one, first), (other, second) in combinations(entries.items(), 2)
        if first.config.dataset == second.config.dataset
        and first.summary.per_class
        and first.summary.support == second.summary.support
    ]


def colours(entries: Mapping[str, Entry]) -> dict[str, str]:
    """Choose a colour for each name: the run's own, else one of the palette that no run of its own has yet."""
    own = {name: entry.about.colour for name, entry in entries.items()}
    free = cycle([colour for colour in PALETTE if colour not in own.values()] or PALETTE)
    return {name: colour or next(free) for name, colour in own.items()}


def short_names(entries: Sequence[Entry]) -> dict[str, Entry]:
    """Name runs by their titles, else by network and data set; where several share that, by the settings that differ.

    Where all share it, by those settings only.
    """
    plain = [entry.about.title or _what(entry.config) for entry in entries]
    if len(entries) > 1 and len(set(plain)) == 1 and all(_settings_apart(entry, entries) for entry in entries):
        plain = [_settings_apart(entry, entries) for entry in entries]
    for more in (_settings_apart, lambda entry, _: started_at(entry.summary), lambda entry, _: entry.id[-6:]):
        plain = _told_apart(entries, plain, more)
    return dict(zip(plain, entries, strict=True))


def _what(config: RunConfig) -> str:
    return ", ".join(filter(None, (config.architecture.title, dataset_title(config.dataset), config.origin)))


def _told_apart(entries: Sequence[Entry], names: list[str], more: Callable[[Entry, Sequence[Entry]], str]) -> list[str]:
    longer = []
    for entry, name in zip(entries, names, strict=True):
        alike = [other for other, other_name in zip(entries, names, strict=True) if other_name == name]
        addition = more(entry, alike) if len(alike) > 1 else ""
        longer.append(f"{name}, {addition}" if addition else name)
    return longer


def _settings_apart(entry: Entry, alike: Sequence[Entry]) -> str:
    apart = differences({other.id: other for other in alike}).drop(index="layers", errors="ignore")
    told = [phrase(str(name).replace(" ", "_"), value) for name, value in apart[entry.id].items()]
    return ", ".join(told) if len(told) <= TOLD else ""
