"""Why a filter tells two digits apart, or does not: one number of its answers, over all of the sample's."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from torch import Tensor

from cnnlab.charts.edges import two_histograms
from cnnlab.learn.edges import MEASURES, answers, fitted, part
from cnnlab.learn.pictures import digits
from cnnlab.ui.views.look import show_figure

_TITLES = {"mean": "mean size of its answers", "strongest": "its strongest answer"}
_WHY = (
    "A 1 is little more than one upright stroke: a vertical-edge filter answers along both its sides, a "
    "horizontal-edge filter hardly at all. A 2 has level and slanted strokes besides."
)


def show_parting(labels: tuple[int, int], kernel: Tensor, title: str, rectified: bool) -> None:
    """For the digits ``labels``; a kernel (height, width) or (C, height, width)."""
    first, second = labels
    if first == second:
        st.info("Take two different digits to see whether the filter tells them apart.", icon=":material/compare:")
        return
    st.subheader(f"Does it tell {first} from {second}?", anchor=False)
    if set(labels) == {1, 2}:
        st.markdown(_WHY)
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
    seen, unseen = (
        [_numbers(label, split, kernel, rectified, name) for label in labels] for split in ("train", "test")
    )
    parting = part(seen[0], seen[1])
    figure, told = st.columns([3, 2], gap="large", vertical_alignment="center")
    with figure:
        show_figure(
            two_histograms(
                (seen[0].numpy(), seen[1].numpy()), (f"{first}s", f"{second}s"), parting.threshold, _TITLES[name]
            ),
            "learn-parting",
            f"{_TITLES[name]} for all {first}s and {second}s",
            lambda: _table(labels, seen),
            f"{len(seen[0])} digits {first} and {len(seen[1])} digits {second} of the sample; dashed: the threshold "
            "that parts most of them.",
        )
    with told:
        st.metric(f"Rightly told, of {parting.count:,}", f"{parting.right / parting.count:.1%}")
        count = len(unseen[0]) + len(unseen[1])
        hits = parting.hits(unseen[0], unseen[1])
        st.metric(f"Of {count} others, by the same threshold", f"{hits / count:.1%}")
        st.caption(
            f"{title}: {seen[0].mean():.3f} on average for a {first}, {seen[1].mean():.3f} for a {second}. By chance "
            "half would be right. A network learns filters for which such numbers lie far apart."
        )


def _numbers(label: int, split: str, kernel: Tensor, rectified: bool, measure: str) -> Tensor:
    """(N,) of all digits ``label`` of the split."""
    return MEASURES[measure](answers(digits(label, split), fitted(kernel, 1), rectified))


def _table(labels: tuple[int, int], seen: list[Tensor]) -> pd.DataFrame:
    rows = [(label, float(value)) for label, values in zip(labels, seen, strict=True) for value in values]
    return pd.DataFrame(rows, columns=["digit", "answer"])
