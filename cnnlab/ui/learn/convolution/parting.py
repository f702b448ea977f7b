"""Separation of two digits by one number computed from a filter's feature maps, over all of the sample."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st
import torch
from torch import Tensor

from cnnlab.charts.edges import two_histograms
from cnnlab.learn.filters import FILTERS, MEASURES, Parting, answers, fitted, part
from cnnlab.learn.sample_images import digits
from cnnlab.ui.shell import frame
from cnnlab.ui.widgets.figure import download_table
from cnnlab.ui.widgets.live_chart import live_chart

_TITLES = {"mean": "mean size of its responses", "strongest": "its strongest response"}
_STROKES = (
    "A 1 is one upright stroke: nearly all its edges are vertical. A 2 has more ink and edges of every kind. A "
    "vertical-edge filter responds to a 1 nearly as much as to a 2, despite less ink. A horizontal-edge filter "
    "responds to a 1 far less than to a 2."
)


def show_parting(labels: tuple[int, int], kernel: Tensor, title: str, rectified: bool) -> None:
    """Show it for the digits ``labels``; the kernel is (height, width) or (C, height, width)."""
    first, second = labels
    if first == second:
        st.info("Choose two different digits to see whether the filter tells them apart.", icon=":material/compare:")
        return
    st.header(f"Does it tell {first} from {second}?", anchor=False)
    if set(labels) == {1, 2}:
        st.markdown(_STROKES)
    st.markdown(_measured(labels, rectified))
    measure = st.segmented_control(
        "One number for each image",
        list(_TITLES),
        format_func=_TITLES.__getitem__,
        default="mean",
        required=True,
        key="learn.convolution.measure",
        persist_state="session",
    )
    name = str(measure or "mean")
    numbers = _numbers(labels, kernel, rectified, name)
    parting = part(*numbers.seen)
    figure, told = st.columns([3, 2], gap="large", vertical_alignment="center")
    with figure:
        _histograms(labels, numbers, parting, title, _TITLES[name])
    with told:
        _tell(labels, numbers, parting, f"{title}, {_TITLES[name]}")


@st.cache_data(max_entries=200, show_spinner=False)
def _measured(labels: tuple[int, int], rectified: bool) -> str:
    """Describe how much ink the two digits have, how both edge filters respond, and what to try."""
    first, second = map(frame.with_article, labels)
    ink = [float(digits(label).mean()) for label in labels]
    upright, level = (
        [float(group.mean()) for group in _numbers(labels, FILTERS[name].kernel, rectified, "mean").seen]
        for name in ("vertical", "horizontal")
    )
    return (
        f"Measured: the mean pixel is {ink[0]:.3f} in {first} and {ink[1]:.3f} in {second}. The mean response of a "
        f"vertical-edge filter is {upright[0]:.3f} to {first} and {upright[1]:.3f} to {second}; of a horizontal-edge "
        f"filter, {level[0]:.3f} and {level[1]:.3f}. Try each filter: which separates them best?"
    )


@dataclass(frozen=True)
class _Numbers:
    """One number for each image of the first digit and of the second."""

    seen: tuple[Tensor, Tensor]  # those that the threshold is fitted on
    unseen: tuple[Tensor, Tensor]


def _numbers(labels: tuple[int, int], kernel: Tensor, rectified: bool, measure: str) -> _Numbers:
    groups = [digits(label, split) for split in ("train", "test") for label in labels]
    at_once = answers(torch.cat(groups), fitted(kernel, 1), rectified)
    first, second, *others = MEASURES[measure](at_once).split([len(group) for group in groups])
    return _Numbers((first, second), (others[0], others[1]))


def _histograms(labels: tuple[int, int], numbers: _Numbers, parting: Parting, title: str, quantity: str) -> None:
    (first, second), seen = labels, numbers.seen
    groups, names = (seen[0].numpy(), seen[1].numpy()), (f"{first}s", f"{second}s")
    live_chart(  # updates in place, faster than a new figure
        two_histograms(groups, names, parting.threshold, quantity),
        "learn.convolution.histograms",
        title,
        f"{quantity} for all {first}s and {second}s",
    )
    with st.container(horizontal=True):
        st.caption(
            f"{len(seen[0])} digits {first} and {len(seen[1])} digits {second} of the sample. Dashed: the threshold "
            "that separates most of them."
        )
        download_table(lambda: _table(labels, seen), "learn-parting")


def _tell(labels: tuple[int, int], numbers: _Numbers, parting: Parting, quantity: str) -> None:
    (first, second), (ones, others) = map(frame.with_article, labels), numbers.seen
    st.metric(f"Correct, of {parting.count:,} images", f"{parting.right / parting.count:.1%}")
    count = sum(map(len, numbers.unseen))
    st.metric(f"Correct, of {count} other images, same threshold", f"{parting.hits(*numbers.unseen) / count:.1%}")
    st.caption(
        f"{quantity}: {ones.mean():.3f} on average for {first}, {others.mean():.3f} for {second}. Guessing gets half "
        "right. A network learns filters that separate such numbers widely."
    )


def _table(labels: tuple[int, int], seen: tuple[Tensor, Tensor]) -> pd.DataFrame:
    rows = [(label, float(value)) for label, values in zip(labels, seen, strict=True) for value in values]
    return pd.DataFrame(rows, columns=["digit", "answer"])
