"""Chapter: a network from scratch against one that has learned from a million photos, on few pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import pandas as pd
import streamlit as st

from cnnlab.charts.few_pictures import by_number
from cnnlab.data.datasets import DATASETS, dataset_spec
from cnnlab.data.spec import DatasetSpec
from cnnlab.learn.few_pictures import (
    NUMBERS,
    WAYS,
    Arm,
    Compared,
    Point,
    Terms,
    Way,
    compare,
    possible_numbers,
    suitable,
    to_guess,
)
from cnnlab.learn.shipped import shipped_comparison
from cnnlab.pretrained.table import BACKBONES
from cnnlab.training.config_link import to_query
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.frame import literal
from cnnlab.ui.shell.glossary_links import explain, linked
from cnnlab.ui.shell.state import FEW_PICTURES_OF
from cnnlab.ui.widgets.figure import download_table
from cnnlab.ui.widgets.live_chart import live_chart
from cnnlab.ui.widgets.progress import trial

KEY = "learn.few_pictures"
MEANINGS: dict[Way, str] = {
    "from scratch": "a small network starts with random weights, and all layers learn",
    "frozen": "the backbone keeps its weights; only a new last layer learns",
    "fine-tuned": "the backbone's last blocks learn too, with a smaller learning rate",
}

_T = TypeVar("_T")


def show() -> None:
    """Show the comparison, and what transfer learning is."""
    _comparison()
    st.markdown(
        linked(
            "A network trained on a million photos has learned more than their classes. Its first layers respond to "
            "edges and colours, later ones to textures and parts. Nearly all pictures have those. So transfer "
            "learning keeps these layers, the backbone. It only learns what separates your classes."
        )
    )
    st.markdown(
        linked(
            "Later layers depend more on the photos they were trained on. Fine-tuning adapts the last blocks to your "
            f"pictures. Here the network is {BACKBONES['lite0'].title}."
        )
    )
    st.markdown("\n".join(f"- **{way}**: {what}" for way, what in MEANINGS.items()))


def _comparison() -> None:
    """Show the settings, and beside them the results."""
    settings, results = st.columns([2, 5], gap="large")
    with settings:
        terms = _terms()
        button = st.container()
        if terms.ways and terms.numbers:
            _budget(terms)
    with results:
        if not (terms.ways and terms.numbers):
            st.info("Choose at least one way to learn and one number of pictures.", icon=":material/science:")
            return
        trial(
            f"{KEY}.trial",
            "Compute it here",
            terms,
            lambda: compare(terms),
            _show,
            "These settings are not computed yet. Press the button: each point appears as soon as its first network "
            "is tested.",
            shipped_comparison(terms),
            button,
            to_guess(terms),
        )


def _terms() -> Terms:
    """Choose data set, ways to learn, numbers of pictures and seeds."""
    usual = Terms()
    dataset = _dataset(suitable()).name
    ways = st.pills(
        "Methods",
        WAYS,
        selection_mode="multi",
        default=usual.ways,
        key=f"{KEY}.ways",
        persist_state="session",
        wrap=True,
    )
    numbers = possible_numbers(dataset)
    chosen = st.pills(
        "Pictures per class",
        numbers,
        selection_mode="multi",
        default=numbers[: len(usual.numbers)],
        key=f"{KEY}.numbers.{len(numbers)}.{numbers[0]}",  # persisted ones must be among them
        persist_state="session",
        wrap=True,
    )
    seeds = st.slider("Seeds", 2, 8, usual.seeds, key=f"{KEY}.seeds", persist_state="session")
    return Terms(dataset, _in_order(WAYS, ways), _in_order(numbers, chosen), seeds)


def _dataset(names: list[str]) -> DatasetSpec:
    """Choose one of the data sets, and say where its pictures are drawn ones."""
    if FEW_PICTURES_OF.get() not in names:
        FEW_PICTURES_OF.put(Terms().dataset)
    titles = frame.distinct_labels({name: DATASETS[name].title for name in names})
    chosen = st.selectbox(
        "Data set",
        names,
        format_func=titles.__getitem__,
        key=FEW_PICTURES_OF.name,
        help="Data sets on this machine with enough pictures, including your own.",
        persist_state="session",
    )
    spec = DATASETS[chosen]
    if spec.is_drawn:
        st.caption("Grey characters look like no photo. A network trained on photos may not be the best for them.")
    return spec


def _in_order(known: Sequence[_T], chosen: Sequence[_T]) -> tuple[_T, ...]:
    return tuple(one for one in known if one in chosen)


def _budget(terms: Terms) -> None:
    """Say how many trainings there are, what they are judged on, and what the data set does not allow."""
    trainings = frame.counted(terms.seeds * len(terms.arms), "training")
    slow = " Fine-tuning takes several times as long as the other two." if "fine-tuned" in terms.ways else ""
    st.caption(
        f":material/timer: {trainings}, each tested on about {terms.judged_on:,} validation images it did not train "
        f"on, never on test images.{slow}"
    )
    possible = possible_numbers(terms.dataset)
    if possible != NUMBERS:
        st.caption(
            f"With its validation images held out, this data set has enough for {' or '.join(map(str, possible))} "
            "pictures per class."
        )


def _show(reached: Compared) -> None:
    """Show the chart of the results so far, their table, and a link to train the best."""
    points = reached.points
    if not points:
        return
    rows = pd.DataFrame(points)
    live_chart(
        by_number(rows),
        f"{KEY}.chart",
        str(reached.terms),
        "Validation accuracy by pictures a class, a line for each way to learn",
        380,
    )
    with frame.errors_shown():  # the data set may have been deleted since
        _measured(reached.terms)
        _table(rows)
        if reached.done == 1:
            _door(reached.terms, max(points, key=lambda point: point.mean))


def _measured(terms: Terms) -> None:
    """Say what was measured, and on which images."""
    explain(
        f"{literal(dataset_spec(terms.dataset).title)}: mean validation accuracy ± one standard deviation of up "
        f"to {terms.seeds} seeds, on about {terms.judged_on:,} images. Each seed has its own weights, training "
        "pictures and validation images. If bars overlap, more seeds may change the order."
    )


def _table(rows: pd.DataFrame) -> None:
    shown = pd.DataFrame(
        {
            "Method": rows["way"],
            "Pictures per class": rows["number"],
            "Seeds": rows["seeds"],
            "Mean, %": 100 * rows["mean"],
            "Sd, points": 100 * rows["sd"],
        }
    )
    percent = st.column_config.NumberColumn(format="%.1f")
    st.dataframe(
        shown,
        hide_index=True,
        column_config={"Mean, %": percent, "Sd, points": percent},
        width="stretch",
        placeholder="",
    )
    download_table(lambda: shown, "few-pictures")


def _door(terms: Terms, best: Point) -> None:
    """Show a link that trains the best once more, as a run to look into."""
    st.markdown("Train the best one as a run, to look inside and get its test accuracy:")
    config = terms.config(Arm(best.way, best.number), seed=0)
    frame.door("Train", f"“{best.way}” on {best.number} pictures a class", to_query(config))
