"""Runs that differ only by their seed: their accuracies together, and one row for them in tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice

import numpy as np
import pandas as pd

from cnnlab.evaluation.luck import Seeds
from cnnlab.runs.comparison import repeats
from cnnlab.runs.entry import Entry

MEANS = ("Test", "Balanced", "Macro F1", "Validation", "Train")  # columns whose mean a folded row has
# Columns beside: sample standard deviation of Test in points, and the number of seeds.
SPREAD, COUNT = "± points", "Seeds"
SETTINGS = "settings"


def one_per_seed(entry: Entry, entries: Sequence[Entry]) -> list[Entry]:
    """Return ``entry`` and a tested repeat with each other seed, all tested on the same images.

    Only ``entry`` is returned where it was not tested.
    """
    if entry.test_accuracy is None:
        return [entry]
    tested = [other for other in repeats(entry, entries) if other.test_accuracy is not None]
    alike = [other for other in tested if other.id == entry.id or other.summary.support == entry.summary.support]
    others = {seed_of(other): other for other in reversed(alike) if seed_of(other) != seed_of(entry)}
    return [entry, *sorted(others.values(), key=seed_of)]


def seeds_of(entry: Entry, entries: Sequence[Entry]) -> Seeds:
    """Return the test accuracies of ``one_per_seed``, its own first."""
    known = [other.test_accuracy for other in one_per_seed(entry, entries)]
    return Seeds(entry.unseeded, tuple(accuracy for accuracy in known if accuracy is not None))


def seed_of(entry: Entry) -> int:
    """Return the seed of a run."""
    return int(entry.row["Seed"])


def repeats_among(entries: Sequence[Entry]) -> pd.DataFrame:
    """Return what ``fold`` asks of runs, a row a run, by their ids: columns SETTINGS, Seed and MEANS.

    SETTINGS is a number that repeats share. A run that was not tested, or has not come to its own end, shares it with
    no other.
    """
    whole = [entry.status == "finished" and entry.test_accuracy is not None for entry in entries]
    shared = [one.unseeded if is_whole else one.id for one, is_whole in zip(entries, whole, strict=True)]
    return pd.DataFrame(
        {
            SETTINGS: pd.factorize(np.array(shared, dtype=object))[0],
            "Seed": [seed_of(entry) for entry in entries],
            **{name: np.array([entry.row[name] for entry in entries], dtype=float) for name in MEANS},
        },
        index=pd.Index([entry.id for entry in entries], dtype=str),
    )


def latest(entries: Sequence[Entry], count: int) -> list[Entry]:
    """Return the runs of the ``count`` settings that were trained last, with all their repeats, in their order."""
    settings = {*islice(dict.fromkeys(entry.unseeded for entry in entries), count)}
    return [entry for entry in entries if entry.unseeded in settings]


def fold(rows: pd.DataFrame, known: pd.DataFrame, ticked: Collection[str] = ()) -> pd.DataFrame:
    """Fold tested runs that differ only by their seed into the row of the ticked one, else of the first.

    ``known`` has the ``repeats_among`` all runs. Where two of them are ticked, to be compared, all keep a row of their
    own. The columns SPREAD and COUNT, which a table with folded rows has beside, are empty for other rows.
    """
    runs = known.loc[rows.index].reset_index(drop=True)  # by position: 10,000 ids would be looked up at each step
    is_ticked = rows.index.isin(list(ticked))
    chosen = runs[SETTINGS][is_ticked]
    apart = runs[SETTINGS].isin(chosen[chosen.duplicated()])
    runs[SETTINGS] = runs[SETTINGS].mask(apart, -1 - runs.index)
    order = np.argsort(~is_ticked, kind="stable")
    shown = np.sort(runs[SETTINGS].iloc[order].drop_duplicates().index)
    if len(shown) == len(rows):
        return rows
    groups = runs.drop_duplicates([SETTINGS, "Seed"]).groupby(SETTINGS)
    told = groups[list(MEANS)].mean()
    told[SPREAD], told[COUNT] = 100 * groups["Test"].std(), groups.size()
    told = told.loc[runs[SETTINGS][shown]].set_axis(rows.index[shown]).astype({COUNT: "Int64"})
    is_folded = runs[SETTINGS].duplicated(keep=False)[shown].to_numpy()
    told[COUNT] = told[COUNT].where(is_folded)
    seeds = rows["Seed"].iloc[shown].astype("Int64").mask(is_folded)
    return rows.iloc[shown].assign(Seed=seeds, **{str(name): column for name, column in told.items()})
