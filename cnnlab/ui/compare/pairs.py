"""Which is better: every pair of the chosen runs on the same test images, against chance and the seeds' noise."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from math import isnan

import pandas as pd
import streamlit as st

from cnnlab.data.pictures.store import is_own_key
from cnnlab.evaluation.luck import SEEDS
from cnnlab.evaluation.significance import BETTER, LEVEL, NETWORKS, NOISE, SAME, by_pair
from cnnlab.quantities import p_cell, p_value
from cnnlab.runs.comparison import comparable_pairs
from cnnlab.runs.seeds import seeds_of
from cnnlab.runs.summary import how_tested
from cnnlab.ui.compare.seeds import offer_seeds
from cnnlab.ui.compare.selection import Chosen
from cnnlab.ui.shell.address import DATASET
from cnnlab.ui.shell.frame import door, literal
from cnnlab.ui.shell.glossary_links import explain
from cnnlab.ui.shell.networks import trained_network
from cnnlab.ui.views.cached import answers
from cnnlab.ui.widgets.figure import download_table

_PERCENT = st.column_config.NumberColumn(format="%.1f%%")
_COLUMNS = {
    "One's accuracy": _PERCENT,
    "Other's accuracy": _PERCENT,
    "Difference, points": st.column_config.NumberColumn(format="%+.1f", help="The second accuracy minus the first"),
    "p": st.column_config.TextColumn("p (Holm)"),
    "p of the settings": st.column_config.TextColumn(help="Student's t between seeds (Holm)"),
    "Noise of seeds, points": st.column_config.NumberColumn(
        format="%.2f", help="How far two seeds of the same settings differ at most, in 95% of the cases"
    ),
}
_FOUND = {  # as a sentence; the better one's name goes first
    BETTER: "{} is better, by more than chance and by more than the seeds' noise",
    NOISE: "These two networks differ, but no more than two seeds of the same settings",
    NETWORKS: "These two networks differ. Whether their settings do is not known",
    SAME: "No evidence of a difference",
}


def show(chosen: Chosen) -> None:
    """Show a sentence for two runs, a table for more."""
    pairs = comparable_pairs(chosen.named)
    if not pairs:
        if _tell_versions(chosen):
            return
        st.info("These runs have no test images in common. Select at least two finished runs on the same data set.")
        return
    judged = {name: chosen.named[name].run for name in dict.fromkeys(chain.from_iterable(pairs))}
    seeds = {name: seeds_of(chosen.named[name], chosen.everything) for name in judged}
    rows = by_pair({name: answers(run, trained_network(run)) for name, run in judged.items()}, pairs, seeds)
    if len(rows) == 1:
        _tell(rows.iloc[0])
        _tell_noise(rows.iloc[0], {each.settings: len(each.accuracies) for each in seeds.values()})
    offer_seeds({name: chosen.named[name] for name in judged}, chosen.everything)
    accuracies = {name: 100 * rows[name] for name in ("One's accuracy", "Other's accuracy")}
    shown = rows.assign(p=rows["p"].map(p_cell), **accuracies)
    shown["p of the settings"] = [None if isnan(p) else p_cell(p) for p in rows["p of the settings"]]
    st.dataframe(shown, hide_index=True, column_config=_COLUMNS, placeholder="not known")
    download_table(lambda: rows, "pairs-compared")
    counts = {name: how_tested(entry.summary, entry.run.looks) for name, entry in chosen.named.items()}
    st.caption("  \n".join(f"{literal(name)}. {literal(count)}." for name, count in counts.items()))
    explain(
        "The difference is the second accuracy minus the first. McNemar's exact test on the test images that "
        "only one of the two gets right. With several pairs, p is corrected for their number (Holm). It compares these "
        "trained networks, and two seeds of the same settings often differ by it. So a run counts as better only if "
        f"p of the settings is below {LEVEL} too: Student's t between the mean accuracies of all their seeds."
    )


def _tell_versions(chosen: Chosen) -> bool:
    """Say where runs of several versions of one's own data set are compared; return whether there are any."""
    own = {entry.config.dataset for entry in chosen.named.values() if is_own_key(entry.config.dataset)}
    versions = sorted(own, key=lambda key: (len(key), key))  # 2 before 10
    if len(versions) < 2 or len({key.partition("@")[0] for key in versions}) > 1:
        return False
    st.info(
        f"These runs were tested on different versions: {literal(', '.join(versions))}. Data, Versions trains a run "
        "again on a newer version. It compares both on the test pictures they share."
    )
    door("Data", "Open the data set", {DATASET.name: versions[-1]})
    return True


def _tell(row: pd.Series) -> None:
    apart = row["Only one right"] + row["Only other right"]
    one, other = literal(row["One"]), literal(row["Other"])
    better = other if row["Difference, points"] > 0 else one
    found = _FOUND[row["Verdict"]].format(better)
    st.markdown(
        f"**{found}**: of {row['Images']:,} common test images {one} alone gets "
        f"{row['Only one right']:,} right and {other} alone gets {row['Only other right']:,}. If both were equally "
        f"good, chance alone would split these {apart:,} at least as unevenly with p {p_value(row['p'])}."
    )


def _tell_noise(row: pd.Series, counts: Mapping[str, int]) -> None:
    """Say how far two seeds of the same settings differ, by the ``counts`` of seeds, or that it is not known."""
    noise, apart = row["Noise of seeds, points"], abs(row["Difference, points"])
    here = " and ".join(map(str, counts.values()))
    if isnan(noise):
        st.markdown(
            f"**Noise of seeds: not known.** It takes {SEEDS} runs of the same settings with different seeds; here are "
            f"{here}."
        )
        return
    st.markdown(
        f"**Noise of seeds: {noise:.2f} points.** Two seeds of the same settings differ by at most that in 95% of the "
        f"cases, judged by {here} seeds. These two runs differ by {apart:.2f} points."
    )
