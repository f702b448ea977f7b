"""Chapter: which filter knows the 7? One filter at a time is switched off, then several together."""

from __future__ import annotations

import streamlit as st

from cnnlab import charts
from cnnlab.charts.knockout import losses_by_filter
from cnnlab.evaluation.metrics import before_and_after
from cnnlab.jobs.worker import Part, Worker
from cnnlab.learn.knockout import Knockout, example_network, knock_out, to_guess, together
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.glossary_links import linked
from cnnlab.ui.widgets.awaited import awaited, begun
from cnnlab.ui.widgets.figure import show_figure, tidy
from cnnlab.ui.widgets.guess_first import guess_first

KEY = "learn.knockout"


def show() -> None:
    """Show what each filter is worth to each class, then several filters off together."""
    convolutions = [part.name for part in example_network().parts.values() if part.is_convolution]
    layer = st.segmented_control(
        "Layer", convolutions, default=convolutions[-1], required=True, key=f"{KEY}.layer", persist_state="session"
    )
    part = awaited(f"Switching off the filters of {layer}, one at a time", _knockout, layer)
    found = part.result if part else None
    if found and guess_first(KEY, to_guess(layer), lambda: found.outcome):
        _alone(found)
        _together(found)
    st.markdown(
        linked(
            "A filter that is off gives zeros for every image: its weights and those of the norm after it are zero. "
            "The layers that follow stay as they are, and nothing is trained again. So a class loses only what the "
            "network took from that filter and cannot take from another."
        )
    )


@st.cache_resource(max_entries=8, show_spinner=False, on_release=Worker.cancel)
def _knockout(layer: str) -> Worker[Part[Knockout]]:
    return begun(knock_out(example_network(), layer))


def _alone(found: Knockout) -> None:
    classes = example_network().whole.classes
    show_figure(
        losses_by_filter(found.losses, classes),
        f"knockout-{found.layer}",
        "Right answers lost without each filter, by class",
        lambda: tidy(found.losses, "filter", "class"),
        f"Each column is the network without one of the {len(found.losses)} filters of {found.layer}. Magenta: images "
        f"that it now gets wrong. Blue: images that it now gets right. Measured on {found.images.sum():,} validation "
        "images of the network that comes with the app.",
    )


def _together(found: Knockout) -> None:
    """Choose a class and how many filters are off, and show what is left of each class."""
    classes = example_network().whole.classes
    left, right = st.columns(2)
    label = left.selectbox("Class", classes, min(7, len(classes) - 1), key=f"{KEY}.class", persist_state="session")
    number = classes.index(label)
    order = found.order(number)
    count = right.slider(
        "Filters off, first those that this class needs most", 0, len(order), 1, key=f"{KEY}.count.{found.layer}"
    )
    now = together(example_network(), found.layer, order[:count])
    table = before_and_after(classes, found.images, found.whole, now)
    others = int(now.sum() - now[number]), int(found.images.sum() - found.images[number])
    st.markdown(
        f"Without {frame.counted(count, 'filter')} of {found.layer} it reads **{now[number]} of "
        f"{found.images[number]}** images of class {frame.literal(label)} right, and {others[0]} of the other "
        f"{others[1]}."
    )
    show_figure(
        charts.class_changes(table),
        f"knockout-together-{found.layer}",
        "Accuracy of each class before and after",
        lambda: table,
    )
