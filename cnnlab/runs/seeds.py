"""Runs that differ only by their seed: their accuracies together, and one row for them in tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from cnnlab.evaluation.luck import Seeds
from cnnlab.runs.comparison import repeats
from cnnlab.runs.entry import Entry

MEANS = ("Test", "Balanced", "Macro F1", "Validation", "Train")  # columns whose mean a folded row has
SPREAD, COUNT = (
    "± points",
    "Seeds",
)  # columns beside: sample standard deviation of Test in points, and the number of seeds


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


def fold(rows: pd.DataFrame, known: Mapping[str, Entry], ticked: Collection[str]) -> pd.DataFrame:
    """Fold tested runs that differ only by their seed into the row of the ticked one, else of the first.

    Where two of them are ticked, to be compared, all keep a row of their own. The columns SPREAD and COUNT, which a
    folded table has beside, are empty for other rows.
    """
    digests = _digests(rows, known)
    is_ticked = rows.index.isin(list(ticked))
    apart = digests[is_ticked][digests[is_ticked].duplicated()]
    digests = digests.where(~digests.isin(apart), digests.index.to_series())
    order = np.lexsort((np.arange(len(rows)), ~is_ticked))
    shown = digests.index[np.sort(order[~digests.iloc[order].duplicated().to_numpy()])]
    folded = rows.loc[shown]
    folded = folded.assign(**dict.fromkeys((SPREAD, COUNT), pd.Series(np.nan, index=folded.index)))
    folded = folded.astype({COUNT: "Int64", "Seed": "Int64", **dict.fromkeys(MEANS, float)})
    repeated = digests[digests.duplicated(keep=False)]
    each = rows.loc[repeated.index, ["Seed", *MEANS]].astype(float).assign(digest=repeated)
    groups = each.drop_duplicates(["digest", "Seed"]).groupby("digest")
    at = digests[shown][digests[shown].isin(repeated)]
    folded.loc[at.index, list(MEANS)] = groups[list(MEANS)].mean().reindex(at).to_numpy()
    folded.loc[at.index, SPREAD] = 100 * groups["Test"].std().reindex(at).to_numpy()
    folded.loc[at.index, COUNT] = groups.size().reindex(at).to_numpy()
    folded.loc[at.index, "Seed"] = pd.NA
    return folded


def _digests(rows: pd.DataFrame, known: Mapping[str, Entry]) -> pd.Series[str]:
    """Return what repeats share; of a run that is not tested, or has not come to its own end, its id."""
    is_whole = (rows["State"] == "finished") & rows["Test"].notna()
    own = [known[run].unseeded if whole else run for run, whole in zip(rows.index, is_whole, strict=True)]
    return pd.Series(own, index=rows.index, dtype=object)
