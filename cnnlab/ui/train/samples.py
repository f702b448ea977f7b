"""A few validation images with the network's answers: the latest while it trains, the tested network's afterwards."""

from __future__ import annotations

import streamlit as st
from torch import Tensor

from cnnlab.charts.png import inline
from cnnlab.data.splits import Split, few_of_each
from cnnlab.errors import CnnLabError
from cnnlab.runs.ancestry import data_of
from cnnlab.runs.run import Run
from cnnlab.ui.shell.networks import trained_network
from cnnlab.ui.train.run_view import RunView
from cnnlab.ui.widgets.answer_tiles import Tile, answer_tiles
from cnnlab.ui.widgets.images import upright


def samples(view: RunView) -> None:
    """Show each image with the answer and its probability; a wrong one also with the true class."""
    images, readings = _read(view)
    if images is None:
        return
    title = "Live answers to validation images" if view.is_running else "Answers to validation images"
    st.markdown(f"**{title}**")
    pictures = _pictures(str(view.run.folder), images)
    answer_tiles(_tiles(pictures, images.labels, readings, view.summary.classes), "train.samples", title)


@st.cache_resource(max_entries=32, show_spinner=False)  # not again for each update
def _pictures(folder: str, _images: Split) -> list[str]:
    return [inline(upright(_images.image(number))) for number in range(len(_images))]


def _tiles(pictures: list[str], labels: Tensor, readings: Tensor | None, classes: tuple[str, ...]) -> list[Tile]:
    tiles = []
    for number, (image, label) in enumerate(zip(pictures, labels.tolist(), strict=True)):
        truth = classes[label]
        if readings is None:
            tiles.append(Tile(image, truth))
        else:
            share, named = readings[number].max(0)
            tiles.append(Tile(image, truth, classes[int(named)], float(share), f"{float(share):.0%}"))
    return tiles


def _read(view: RunView) -> tuple[Split | None, Tensor | None]:
    """Return the images and the class probabilities that the network gives them, as far as they are known."""
    if view.job and view.is_running:
        return view.job.samples, view.job.read_samples()
    try:
        return _known(str(view.run.folder), view.run.judged_epoch, view.run)
    except CnnLabError:  # the page tells elsewhere of pictures that are gone, and there may be no whole epoch
        return None, None


@st.cache_resource(max_entries=32, show_spinner=False)
def _known(folder: str, epoch: int, _run: Run) -> tuple[Split, Tensor]:
    validation = data_of(_run).validation
    few = validation.part(few_of_each(validation.labels))
    images = Split(few.images, few.labels)
    return images, trained_network(_run, epoch).probabilities(images)
