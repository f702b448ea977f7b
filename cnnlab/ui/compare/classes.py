"""Each class: test accuracies side by side; for two runs also the difference, its p, and the images they differ on."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from cnnlab import charts
from cnnlab.charts.style import TILE_NAME, fitted
from cnnlab.evaluation.metrics import Answers
from cnnlab.evaluation.significance import LEVEL, by_class
from cnnlab.quantities import p_cell
from cnnlab.runs.comparison import colours
from cnnlab.runs.entry import Entry
from cnnlab.runs.trained import test_split
from cnnlab.text import percent
from cnnlab.ui.compare.selection import Chosen
from cnnlab.ui.shell.frame import literal
from cnnlab.ui.shell.networks import trained_network
from cnnlab.ui.shell.state import COMPARED_IMAGE
from cnnlab.ui.views.cached import answers
from cnnlab.ui.views.gallery import opened_image
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.curves import legend
from cnnlab.ui.widgets.figure import close_button, download_table, opened, show_figure
from cnnlab.ui.widgets.images import upright
from cnnlab.ui.widgets.live_chart import live_chart

SHOWN = 18  # images on which two runs differ

_PERCENT = st.column_config.NumberColumn(format="percent")
_POINTS = st.column_config.NumberColumn(format="%+.1f")
_P = st.column_config.TextColumn(help="Below 0.05 the difference counts as more than chance")


def show(chosen: Chosen) -> None:
    """Show the table of classes and its chart; for two runs on the same data also how they differ."""
    judged = {name: entry for name, entry in chosen.named.items() if entry.summary.per_class}
    if not judged:
        st.info("None of these runs has been tested: a run is tested when it ends.")
        return
    accuracies = {name: entry.summary.per_class for name, entry in judged.items()}
    alike = len({(entry.config.dataset, *entry.summary.support.values()) for entry in judged.values()}) == 1
    is_pair = len(judged) == 2 and alike
    frame = pd.DataFrame(accuracies).rename_axis("Class").reset_index()
    if is_pair:
        one, other = (answers(entry.run, trained_network(entry.run)) for entry in judged.values())
        apart = by_class(one, other)
        frame = apart[["Class", "Difference, points", "p", "First", "Second", "Only first right", "Only second right"]]
        frame = frame.round(4).rename(columns=dict(zip(("First", "Second"), judged, strict=True)))
    columns = dict.fromkeys(judged, _PERCENT) | {"Difference, points": _POINTS, "p": _P}
    shown = frame.round(dict.fromkeys(judged, 3))
    st.dataframe(shown.assign(p=shown["p"].map(p_cell)) if is_pair else shown, hide_index=True, column_config=columns)
    download_table(lambda: frame, "classes-compared")
    shades = colours(judged)
    legend(shades)
    points = charts.per_class_points(accuracies, "Test accuracy", shades)
    live_chart(points, "compared-classes", "classes", "Test accuracy of each class", height=320)
    if not is_pair:
        st.caption(
            "Test accuracy of each class. A class that a run does not have is empty. Select two runs on the same "
            "data to test whether they differ by more than chance."
        )
        return
    st.caption(
        "The difference is the second accuracy minus the first. p is how often chance alone makes two equally good "
        "networks differ this much on a class. McNemar's exact test on the images that only one gets right; Holm's "
        f"correction for the number of classes. Below {LEVEL} the difference counts as more than chance."
    )
    _differing(judged, one, other)


def _differing(pair: dict[str, Entry], one: Answers, other: Answers) -> None:
    """Show images that only one of the two runs classifies correctly."""
    st.markdown("#### Where they differ")
    choices = {
        f"only {name} is right": (hits & ~misses).nonzero()[0]
        for name, hits, misses in zip(pair, (one.hits, other.hits), (other.hits, one.hits), strict=True)
    }
    most_first = sorted(choices, key=lambda name: -len(choices[name]))
    only = st.selectbox("Images", most_first, format_func=lambda name: f"{len(choices[name]):,} where {name}")
    indices = choices[only]
    if not len(indices):
        st.info("No image is of this kind.", icon=":material/check:")
        return
    entry = next(iter(pair.values()))
    split = test_split(entry.run)
    shown = indices[:SHOWN].tolist()
    rows = [
        {"test image": index + 1, "true": one.classes[one.labels[index]]}
        | {name: found.classes[found.named[index]] for name, found in zip(pair, (one, other), strict=True)}
        for index in shown
    ]
    short = fitted((*one.classes, *other.classes), TILE_NAME)
    titles = [" | ".join(short[str(answer)] for answer in list(row.values())[2:]) for row in rows]
    show_figure(
        charts.tile_strip([upright(split.image(index)) for index in shown], titles, columns=9, units=shown),
        "differing",
        "Test images that only one of the two names right",
        lambda: pd.DataFrame(rows),
        f"{len(shown)} of {len(indices):,}: the first answer | the second answer. Click an image to open it.",
        COMPARED_IMAGE,
    )
    index = opened(COMPARED_IMAGE, len(split))
    if index is None:
        return
    for (name, opened_entry), found in zip(pair.items(), (one, other), strict=True):
        answer = found.named[index]
        told = percent(found.probabilities[index, answer])
        st.markdown(f"**{literal(name)}** says **{literal(found.classes[answer])}** with {told}:")
        opened_image(Look(opened_entry.run, trained_network(opened_entry.run), opened_entry.run.epochs()), index)
    close_button(COMPARED_IMAGE)
