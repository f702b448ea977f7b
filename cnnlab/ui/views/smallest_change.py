"""Smallest change: the smallest change of the image that changes the network's prediction."""

from __future__ import annotations

import streamlit as st
from torch import Tensor

from cnnlab import charts
from cnnlab.analysis.counterfactual import MOVED, STEPS, Change, smallest_change
from cnnlab.jobs.worker import Part, Worker
from cnnlab.ui.shell import frame
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.awaited import awaited, begun
from cnnlab.ui.widgets.figure import show_figure, tidy
from cnnlab.ui.widgets.images import upright


def show(at: Look) -> None:
    """Show the image, the change and the changed image, each with its prediction."""
    trained = at.trained
    probabilities = trained.probabilities(at.picked.pixels)[0]
    answer, *others = probabilities.argsort(descending=True).tolist()
    target = st.selectbox("Target class", others, format_func=lambda label: at.named(label, probabilities))
    pixels = at.picked.pixels.numpy().tobytes()
    part = awaited("Searching for the smallest change", _change, at.at, pixels, target, at)
    if part is None:
        return
    change = part.result
    if change is None:
        st.info(
            f"In {STEPS} steps no change was found that makes the network answer "
            f"{frame.literal(trained.classes[target])}. One may still exist.",
            icon=":material/search_off:",
        )
        return
    before, difference, after = st.columns(3)
    with before:
        _picture(at, change.before, "Before", (answer, target), "The original image.")
    with difference:
        st.markdown("**The change**")
        _difference(at, change)
    with after:
        _picture(at, change.after, "After", (target, answer), "The image with the change.")
    _measures(change)
    st.caption(
        f"The smallest change found in {STEPS} steps (Rony et al. 2019) that makes the network, {trained.when}, "
        "answer the other class. A smaller one may exist. If you still see the original class, this is an "
        "adversarial example (Szegedy et al. 2014): the network relies on other things than you."
    )


def _measures(change: Change) -> None:
    pixels = change.difference[0].numel()
    with st.container(horizontal=True):
        st.metric(
            "Size of the change",
            f"{change.size:.2f}",
            help="L2 norm: the root of the sum of all squared changes, with pixels from 0 to 1.",
        )
        st.metric("Relative size", f"{change.share:.1%}", help="The same as a share of the image's own L2 norm.")
        st.metric(
            f"Pixels changed by more than {MOVED}",
            f"{change.moved:,}",
            f"of {pixels:,}, {change.moved / pixels:.1%}",
            delta_color="off",
            delta_arrow="off",
        )


def _picture(at: Look, image: Tensor, when: str, told: tuple[int, int], caption: str) -> None:
    """Show ``image`` (1, C, H, W) with the probabilities of two classes, the prediction first."""
    probabilities = at.trained.probabilities(image)[0]
    first, second = (frame.literal(at.named(label, probabilities)) for label in told)
    st.markdown(f"**{when}**: read as **{first}**, not {second}")
    show_figure(
        charts.photo(upright(image[0])),
        f"{when.lower()}-{at.at}",
        f"The image {when.lower()} the change",
        lambda: tidy(image[0].numpy(), "channel", "row", "column"),
        caption,
    )


def _difference(at: Look, change: Change) -> None:
    brightness = change.difference.mean(0).numpy()  # (C, H, W) → (H, W)
    show_figure(
        charts.overlay(brightness, brightness, signed=True, on_image=False),
        f"change-{at.at}",
        "The change of each pixel",
        lambda: tidy(change.difference.numpy(), "channel", "row", "column"),
        "Blue: brighter, red: darker" + ("" if len(change.difference) == 1 else ", mean of all channels") + ".",
    )


@st.cache_resource(max_entries=64, show_spinner=False, on_release=Worker.cancel)
def _change(at: str, pixels: bytes, target: int, _look: Look) -> Worker[Part[Change | None]]:
    trained = _look.trained
    return begun(smallest_change(trained.network, trained.standardise, _look.picked.pixels, target))
