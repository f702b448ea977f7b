"""Test set: how often it was used, and the best run's accuracy corrected for having been chosen by it."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
import numpy.typing as npt
import streamlit as st

from cnnlab.data.datasets import dataset_title
from cnnlab.evaluation.chosen import Best, best_of
from cnnlab.jobs.worker import Part, Worker
from cnnlab.runs.entry import Entry
from cnnlab.runs.trained import load_trained, test_split
from cnnlab.ui.compare.selection import Chosen
from cnnlab.ui.shell import person
from cnnlab.ui.shell.frame import literal
from cnnlab.ui.shell.glossary_links import explain
from cnnlab.ui.shell.looks import looks_at
from cnnlab.ui.shell.state import BEST_ASKED
from cnnlab.ui.widgets.awaited import awaited, begun

MOST = 100  # candidates, the best ones: those below can hardly become the best
KEPT = 5000  # runs whose answers are kept on this server: 1.3 kB for 10,000 images each


def show(chosen: Chosen) -> None:
    """Show how worn the test images of a data set are, and offer the correction of the best run's accuracy."""
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
    alike = [entry for entry in candidates if entry.summary.support == best.summary.support][:MOST]
    if len(alike) < 2:
        st.info("One run was not chosen: its test accuracy needs no correction.", icon=":material/check:")
        return
    asked = ".".join([dataset, *(entry.id for entry in alike)])
    if BEST_ASKED.get() != asked:
        st.button(
            "Correct the best accuracy",
            icon=":material/balance:",
            on_click=_ask,
            args=[asked],
            help="Runs each of these networks on the test images. This shows no new result, so it is not counted.",
        )
        st.caption(literal(f"Best so far: {best.title}, {best.test_accuracy:.2%}"))
        return
    part = awaited("Running every network on the test images", _corrected, asked, alike)
    if part and part.result:
        _tell(part.result, alike[part.result.number].title)


def _ask(best: str) -> None:
    BEST_ASKED.put(best)


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


def _tell(best: Best, title: str) -> None:
    st.markdown(
        f"**Expect {best.corrected:.2%} on other images, not {best.accuracy:.2%}.** {literal(title)} is the best of "
        f"{best.candidates:,} runs on these {best.images:,} test images, and {100 * best.luck:.2f} points of it "
        f"are owed to that choice. On as many other images it reaches {best.low:.2%} to {best.high:.2%} (95%)."
    )
    explain(
        "The best of many runs is also the luckiest on the images that chose it. How lucky is estimated by adding "
        "the noise of other images to all accuracies and choosing again (coupled bootstrap). It holds where the test "
        "accuracy chose: if validation chose, the test accuracy needs no correction."
    )


@st.cache_resource(show_spinner=False)
def _known() -> dict[str, npt.NDArray[np.uint8]]:
    """Return the server-wide table of answers: which test images a run's epoch has right, in bits."""
    return {}


@st.cache_resource(max_entries=16, show_spinner=False, on_release=Worker.cancel)
def _corrected(asked: str, _candidates: Sequence[Entry]) -> Worker[Part[Best]]:
    return begun(_best(_candidates, _known()))


def _best(candidates: Sequence[Entry], known: dict[str, npt.NDArray[np.uint8]]) -> Generator[Part[Best]]:
    """Ask each network that is not known yet, then correct the best one's accuracy."""
    rows = []
    for number, entry in enumerate(candidates, 1):
        at = f"{entry.run.folder}@{entry.run.judged_epoch}"
        if at not in known:
            if len(known) >= KEPT:
                known.clear()
            known[at] = np.packbits(load_trained(entry.run).answers(test_split(entry.run)).hits)
        rows.append(known[at])
        yield Part(number / len(candidates))
    images = sum(candidates[0].summary.support.values())
    yield Part(1.0, best_of(np.stack([np.unpackbits(row, count=images) for row in rows]).astype(bool)))
