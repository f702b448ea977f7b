"""Embedding: test images as points, those with similar features close together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from torch import Tensor

from cnnlab import charts
from cnnlab.analysis.activations import affordable, classes_of
from cnnlab.analysis.tsne import Layout, Places, aligned, are_alike, neighbours, principal_components
from cnnlab.jobs.worker import Part, Worker
from cnnlab.runs.run import Run
from cnnlab.runs.trained import Trained, test_split
from cnnlab.ui.inspect.looped_images import looped_images
from cnnlab.ui.shell import poll, session
from cnnlab.ui.shell.networks import trained_network
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.shell.state import LAYOUT_WORK, LAYOUTS, LOOPED_IMAGES, OPENED_IMAGE, layout_of
from cnnlab.ui.views.cached import features_of
from cnnlab.ui.views.gallery import opened_image
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.awaited import awaited, begun
from cnnlab.ui.widgets.figure import download_table, opened
from cnnlab.ui.widgets.point_cloud import point_cloud, sprite_sheet

UPDATE_SECONDS = 0.6
COUNTS = (500, 1_000, 2_000, 4_000)

_PCA = "PCA"
_EXAGGERATIONS = {"t-SNE": 1.0, "t-SNE, clusters drawn together (as UMAP)": 4.0}
_RIGHT, _WRONG = "correct", "wrong"


@dataclass(frozen=True)
class _Asked:
    """Settings of a layout."""

    look: Look
    method: str
    dimensions: int
    count: int
    colour: str
    features: Tensor  # (count, F) of the last layer before the logits

    @property
    def series(self) -> str:
        """A name shared by layouts that differ only by epoch."""
        return f"{self.look.run.id}.{self.method}.{self.dimensions}.{self.count}"

    @property
    def name(self) -> str:
        return f"{self.series}.{self.look.trained.epoch}"


def show(look: Look) -> None:
    """Show the points by the chosen method: PCA at once, t-SNE once computed in the background."""
    columns = st.columns(4)
    method = columns[0].selectbox("Method", [_PCA, *_EXAGGERATIONS], key="inside.reduce", persist_state="session")
    dimensions = columns[1].selectbox("Dimensions", [2, 3], key="inside.dimensions", persist_state="session")
    available = len(test_split(look.run))
    fit = min(available, affordable(look.trained.network, max(COUNTS)))
    counts = sorted({min(count, fit) for count in COUNTS})
    count = columns[2].selectbox("Test images", counts, index=min(2, len(counts) - 1), key=f"inside.count.{available}")
    colour = columns[3].selectbox(
        "Colour", ["true class", "network's answer", "right or wrong"], key="inside.colour", persist_state="session"
    )
    features = _features(look.run, look.trained, count)
    if features is None:
        return
    asked = _Asked(look, method, dimensions, count, colour, features)
    if are_alike(features):
        _draw(asked, np.zeros((count, dimensions)))
        st.warning(
            f"After epoch {look.trained.epoch} all {count:,} images have the same features before the logits. They "
            "lie on one point and get the same answer. Its ReLUs may be dead: they output 0 for every input. Choose "
            "an earlier epoch, or train again with a lower learning rate.",
            title="All features are the same",
        )
    elif method == _PCA:
        first = _features(look.run, trained_network(look.run, look.epochs[0]), count)
        if first is None:
            return
        places, share = _principal(asked.name, features, first, dimensions)
        _draw(asked, places)
        st.caption(
            f"Each point is a test image after epoch {look.trained.epoch}, placed by the features of the last layer "
            f"before the logits. The axes are their first {dimensions} principal components (PCA), {share:.0%} of the "
            "variance. All epochs use the same orientation. Move the epoch slider and watch the classes separate. "
            "Hover to see an image, click to open it."
        )
    else:
        _by_neighbours(asked)
    _images(look, count)


def _images(look: Look, count: int) -> None:
    """Show the images in the loop, and the one that was clicked."""
    looped_images(look, count)
    index = opened(OPENED_IMAGE, len(test_split(look.run)))
    if index is not None:
        opened_image(look, index)


def _by_neighbours(asked: _Asked) -> None:
    done, work = LAYOUTS.fill({}), LAYOUT_WORK.get()
    if asked.name in done:
        _draw(asked, done[asked.name])
        st.caption(
            f"{asked.method} of each test image's features before the logits, after epoch {asked.look.trained.epoch} "
            "(van der Maaten and Hinton 2008). Neighbours are meaningful. Distances between clusters and cluster "
            "sizes are not."
        )
        return
    own = work[1] if work and work[0] == asked.name else None
    if own and own.is_running:
        session.watch(own)
        poll.until_over(lambda: own.is_running, UPDATE_SECONDS, _watch, asked, own)
        return
    if own and own.error:
        st.error(as_reason(own.error), title="The layout failed")
    elif own and own.latest and not own.is_cancelled:
        done[asked.name] = own.latest.places
        layout_of(asked.series).put(own.latest.places)
        st.rerun()
    st.info(
        f"t-SNE places {asked.count:,} images step by step. It takes up to a minute; you can stop it.",
        icon=":material/scatter_plot:",
    )
    if st.button("Compute layout", type="primary", icon=":material/play_arrow:"):
        if work:
            work[1].cancel()
        start = layout_of(asked.series).get()
        steps = neighbours(asked.features, asked.dimensions, _EXAGGERATIONS[asked.method], start)
        LAYOUT_WORK.put((asked.name, Worker(steps)))
        st.rerun()


def _watch(asked: _Asked, work: Worker[Layout]) -> None:
    layout = work.latest
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.progress(layout.progress if layout else 0.0, text="Computing the layout")
    right.button("Cancel", on_click=work.cancel, icon=":material/stop_circle:", width="stretch")
    if layout:
        _draw(asked, layout.places)


def _draw(asked: _Asked, places: Places) -> None:
    look = asked.look
    split = test_split(look.run)
    labels = split.labels[: asked.count].tolist()
    answers = _answers(f"{look.at}.{asked.count}", look.run, look.trained, asked.features)
    classes = look.trained.classes
    notes = [
        f"test image {index + 1}: {classes[label]}" + ("" if label == answer else f", read as {classes[answer]}")
        for index, (label, answer) in enumerate(zip(labels, answers, strict=True))
    ]
    names = list(classes)
    match asked.colour:
        case "true class":
            groups = [classes[label] for label in labels]
        case "network's answer":
            groups = [classes[answer] for answer in answers]
        case _:
            names = [_RIGHT, _WRONG]
            groups = [names[label != answer] for label, answer in zip(labels, answers, strict=True)]
    clicked = point_cloud(
        charts.embedding(places, groups, notes, names, set(LOOPED_IMAGES.get())),
        _sprites(f"{look.run.config.dataset}.{asked.count}", look.run, asked.count),
        f"embedding-{asked.dimensions}d",
        asked.series,
        "Test images as points",
        LOOPED_IMAGES.put,
    )
    if clicked is not None:
        OPENED_IMAGE.put(clicked)
    frame = pd.DataFrame(places, columns=list("xyz")[: asked.dimensions]).assign(
        true=[classes[label] for label in labels], answer=[classes[answer] for answer in answers]
    )
    download_table(lambda: frame.rename_axis("test image").reset_index(), f"embedding-{asked.name}")


@st.cache_data(max_entries=64, show_spinner=False)
def _principal(name: str, _features: Tensor, _first: Tensor, dimensions: int) -> tuple[Places, float]:
    """Compute the PCA layout, rotated to match that of the ``_first`` epoch, and its share of the variance."""
    places, share = principal_components(_features, dimensions)
    return aligned(places, principal_components(_first, dimensions)[0]), share


def _features(run: Run, trained: Trained, count: int) -> Tensor | None:
    """Compute what the layer before the logits makes of the first test images; None while the page waits for it."""
    what = f"Running {count:,} test images through the network of epoch {trained.epoch}"
    part = awaited(what, _feature_work, f"{run.id}.{trained.epoch}", count, run, trained)
    return part.result if part else None


@st.cache_resource(max_entries=8, show_spinner=False, on_release=Worker.cancel)
def _feature_work(at: str, count: int, _run: Run, _trained: Trained) -> Worker[Part[Tensor]]:
    return begun(features_of([test_split(_run).part(slice(count))], _trained))


@st.cache_data(max_entries=64, show_spinner=False)
def _answers(name: str, _run: Run, _trained: Trained, _features: Tensor) -> list[int]:
    _run.count_look(_trained.epoch)
    answers: list[int] = classes_of(_trained.network, _features).tolist()
    return answers


@st.cache_data(max_entries=8, show_spinner=False)
def _sprites(name: str, _run: Run, count: int) -> dict[str, Any]:
    return sprite_sheet(test_split(_run).part(slice(count)).images)
