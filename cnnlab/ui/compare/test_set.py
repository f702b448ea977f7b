"""Test set: how often the test images of a data set were used, and by how many runs."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnnlab.data.datasets import dataset_title
from cnnlab.runs.entry import Entry
from cnnlab.ui.compare.selection import Chosen
from cnnlab.ui.shell import person
from cnnlab.ui.shell.frame import literal
from cnnlab.ui.shell.glossary_links import explain
from cnnlab.ui.shell.looks import looks_at


def show(chosen: Chosen) -> None:
    """Show how worn the test images of a data set are."""
    tested = _tested(chosen.everything)
    if not tested:
        st.info("None of your runs has been tested: a run is tested when it ends.")
        return
    dataset = st.selectbox(
        "Data set", list(tested), format_func=dataset_title, key=f"compare.worn.{'.'.join(tested)}", width=320
    )
    candidates = tested[dataset]
    _count(dataset, candidates)
    best = candidates[0]
    st.caption(literal(f"Best so far: {best.title}, {best.test_accuracy:.2%}"))
    explain(
        "The best of many runs is also the luckiest on the images that chose it, so its test accuracy is too high. If "
        "validation chose, the test accuracy stands."
    )


def _tested(everything: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Return the person's tested runs by data set, the best first; the data set with the most runs comes first."""
    found: dict[str, list[Entry]] = {}
    for entry in everything:
        if entry.test_accuracy is not None and entry.is_trained and entry.owner == person.me().id:
            found.setdefault(entry.dataset, []).append(entry)
    ordered = sorted(found, key=lambda dataset: -len(found[dataset]))
    return {dataset: sorted(found[dataset], key=lambda one: -(one.test_accuracy or 0)) for dataset in ordered}


def _count(dataset: str, candidates: Sequence[Entry]) -> None:
    branches = sum(entry.row["Parent"] != "none" for entry in candidates)
    with st.container(horizontal=True):
        st.metric("Tested runs", f"{len(candidates):,}", help="Each is a candidate for the best")
        st.metric("Uses of the test images", f"{looks_at(dataset):,}", help="Of your runs, deleted ones included")
        st.metric("Branches of tested runs", f"{branches:,}", help="Runs that started from one whose test was known")
