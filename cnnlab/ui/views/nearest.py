"""Nearest images: the training images with the most similar features, and their classes."""

from __future__ import annotations

import pandas as pd
import streamlit as st
import torch

from cnnlab import charts
from cnnlab.analysis.activations import penultimate
from cnnlab.charts.style import TILE_NAME, fitted
from cnnlab.data.spec import DatasetError
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.views.cached import Reference, reference
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.figure import show_figure
from cnnlab.ui.widgets.images import upright

SHOWN, COLUMNS = 18, 6
VOTERS = 50


def show(at: Look) -> None:
    """Show the distance to the nearest image, the nearest ones in rows, and the vote of the nearest fifty."""
    trained = at.trained
    try:
        known = reference(at.run, trained)
    except DatasetError as error:
        st.error(as_reason(error), title="There are no training images to compare with")
        return
    if known is None:
        return
    table = nearest_images(at, known, VOTERS)
    votes = known.neighbours.votes(torch.tensor([table.index.tolist()]), len(trained.classes))[0].tolist()
    left, right = st.columns([3, 2])
    with left:
        st.markdown("**Nearest training images**")
        _pictures(at, known, table)
    with right:
        st.markdown(f"**Classes of the nearest {len(table)}**")
        shares = [count / len(table) for count in votes]
        show_figure(
            charts.probability_bars(trained.classes, shares, "{:.0%}".format).update_layout(
                height=320, xaxis_title="share"
            ),
            f"votes-{at.at}",
            f"Share of each class among the {len(table)} nearest training images",
            lambda: pd.DataFrame({"class": trained.classes, "images": votes}),
            "Their classes. If they disagree with the network, or with each other, its answer is doubtful.",
        )
    _measures(known, float(table["distance"].iloc[0]))


def _measures(known: Reference, nearest: float) -> None:
    with st.container(horizontal=True):
        st.metric(
            "Distance of the nearest",
            f"{nearest:.3f}",
            help="Between features scaled to unit length. 0: same direction, 1.414: right angle.",
        )
        st.metric(
            "More unusual than",
            f"{float((known.usual < nearest).float().mean()):.0%}",
            f"of {len(known.usual):,} validation images",
            delta_color="off",
            delta_arrow="off",
            help="Compares each validation image's distance to its own nearest. Near 100%, this image is unlike the "
            "training images.",
        )


def nearest_images(at: Look, known: Reference, count: int, label: int | None = None) -> pd.DataFrame:
    """Tabulate the nearest to the image, the nearest first, by their index in ``known``; with a ``label`` its alone."""
    features = penultimate(at.trained.network, at.picked.pixels, at.trained.inputs)
    distances, indices = (found[0] for found in known.neighbours.query(features, count, label))
    return pd.DataFrame(
        {
            "training image": (known.numbers[indices] + 1).tolist(),
            "class": [at.trained.classes[label] for label in known.split.labels[indices].tolist()],
            "distance": distances.tolist(),
        },
        index=indices.tolist(),
    )


def _pictures(at: Look, known: Reference, table: pd.DataFrame) -> None:
    searched = f"the {known.trained_on:,} training images"
    if len(known.neighbours) < known.trained_on:
        searched = f"{len(known.neighbours):,} training images, evenly chosen among {known.trained_on:,}"
    show_nearest(
        at,
        known,
        table,
        COLUMNS,
        f"The nearest of {searched}, with class and Euclidean distance. Compared by the features before the last "
        f"layer, scaled to unit length, after epoch {at.trained.epoch} (Sun et al. 2022).",
    )


def show_nearest(at: Look, known: Reference, table: pd.DataFrame, columns: int, caption: str) -> None:
    """Show the first of the nearest images in rows of so many columns."""
    shown = table[:SHOWN]
    short = fitted(at.trained.classes, TILE_NAME)
    titles = [
        f"{short[name]}<br>{distance:.3f}" for name, distance in zip(shown["class"], shown["distance"], strict=True)
    ]
    show_figure(
        charts.tile_strip([upright(known.split.image(index)) for index in shown.index], titles, columns),
        f"nearest-{at.at}",
        "The nearest training images with class and distance",
        lambda: table,
        caption,
    )
