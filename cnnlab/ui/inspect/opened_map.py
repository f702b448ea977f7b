"""The map that was clicked in Layer by layer: the window that makes it, or what its layer does to it."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st
from torch import Tensor, nn

from cnnlab import charts
from cnnlab.analysis.passage import Stage
from cnnlab.learn.convolution import Worked, work_of
from cnnlab.networks.layers import shown
from cnnlab.ui.inspect.layer_words import SAYS
from cnnlab.ui.shell.literal import literal
from cnnlab.ui.shell.state import Key
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.figure import download_table, show_figure, tidy
from cnnlab.ui.widgets.images import upright
from cnnlab.ui.widgets.sliding_window import show_window
from cnnlab.ui.widgets.window_scene import scene_of, told_of

_STRONGEST = "Strongest input channel first"


def show_image(at: Look, opens: Key[str]) -> None:
    """Show the image that the network gets, enlarged."""
    pixels = at.picked.pixels[0]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("#### The image", width="content")
        _close(opens)
    show_figure(
        charts.photo(upright(pixels)),
        f"strip-image-{at.at}",
        at.picked.title.replace("**", ""),
        lambda: tidy(pixels.numpy(), "channel", "row", "column"),
        "As the network gets it. Its pixels are standardised first, as in training.",
    )


def _close(opens: Key[str]) -> None:
    st.button("Close", icon=":material/close:", key="inside.strip.close", on_click=opens.drop)


def show_opened(at: Look, stage: Stage, unit: int | None, opens: Key[str]) -> None:
    """Show a layer's map ``unit``, or all its features where it has no maps; below a heading with a button to close."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"#### {_title(stage, unit)}", width="content")
        worked = None
        if unit is not None and isinstance(stage.module, nn.Conv2d):
            worked = work_of(stage.module, stage.before, unit)
            order = _order(stage, worked)
        _close(opens)
    if worked and unit is not None:
        _window(at, stage, worked.ordered(order), unit)
        return
    sizes = f"{shown(tuple(stage.before.shape))} → {shown(tuple(stage.after.shape))}"
    st.markdown(f"{literal(stage.kind)}, {sizes}: {SAYS[stage.kind]}.")
    if unit is None:
        _features(at, stage)
    else:
        _maps(stage, unit)


def _title(stage: Stage, unit: int | None) -> str:
    return literal(stage.name) if unit is None else f"Map {unit} of {literal(stage.name)}"


def _window(at: Look, stage: Stage, worked: Worked, unit: int) -> None:
    """Show the filter's window over its input, with the run's weights."""
    worked = replace(worked, output=stage.after[unit])  # the network's own numbers
    is_colour = stage.source == "" and at.trained.shape[0] == 3
    scene = scene_of(worked, is_colour, f"Map {unit}")
    show_window(scene, "inside.strip.window")
    with st.container(horizontal=True):
        added = ", ".join(["the products under the window", "the bias"][: 1 + (worked.bias is not None)])
        st.caption(
            f"Weights of {literal(stage.name)} {at.trained.when}. Each value of the map is the sum of {added}, over "
            f"{_channels(worked)}. {told_of(scene, worked)}",
            width="content",
        )
        download_table(lambda: tidy(stage.after[unit].numpy(), "row", "column"), f"{stage.name}-{unit}")


def _channels(worked: Worked) -> str:
    count = len(worked.channels)
    return "its one input channel" if count == 1 else f"{count} input channels"


def _order(stage: Stage, worked: Worked) -> list[int]:
    """Choose the input channel that comes first; by default that which changes the map most."""
    strongest = worked.strongest
    if len(strongest) == 1:
        return strongest
    numbers = sorted(worked.channels)
    first = st.selectbox(
        "Input channel",
        [_STRONGEST, *numbers],
        format_func=lambda number: number if number == _STRONGEST else f"Input channel {number} first",
        key=f"inside.strip.channel.{stage.name}",
        label_visibility="collapsed",
        width=250,
    )
    if first == _STRONGEST:
        return strongest
    chosen = worked.channels.index(first)
    return [chosen, *(place for place in strongest if place != chosen)]


def _maps(stage: Stage, unit: int) -> None:
    """Show a map enlarged, beside the one that it was made of where it was made of one."""
    both = {"Before": stage.before[unit], "After": stage.after[unit]} if stage.keeps_maps else {"": stage.after[unit]}
    for column, (side, values) in zip(st.columns(2), both.items(), strict=False):
        with column:
            if side:
                st.markdown(f"**{side} {literal(stage.name)}**")
            _map(stage, unit, side, values)


def _map(stage: Stage, unit: int, side: str, values: Tensor) -> None:
    show_figure(
        charts.picture(values.numpy(), "activation", height=260),
        f"strip-{stage.name}-{unit}{side.lower()}",
        f"Map {unit} {side.lower() or 'of'} {stage.name}",
        lambda: tidy(values.numpy(), "row", "column"),
        "Hover to read its values.",
    )


def _features(at: Look, stage: Stage) -> None:
    """Show the features as one row; of the last layer, the classes' logits and probabilities."""
    classes, values = at.trained.classes, stage.after
    if len(values) != len(classes):
        show_figure(
            charts.picture(values[None].numpy(), "activation", height=120),
            f"strip-{stage.name}",
            f"Features of {stage.name}",
            lambda: pd.DataFrame({"feature": range(len(values)), "value": values.numpy()}),
            f"{len(values)} features in a row. Hover to read them.",
        )
        return
    probabilities = values.softmax(0)
    show_figure(
        charts.probability_bars(classes, probabilities.tolist()).update_layout(height=300),
        f"strip-{stage.name}",
        "Probability of each class",
        lambda: pd.DataFrame({"class": classes, "logit": values.numpy(), "probability": probabilities.numpy()}),
        "Softmax turns the logits into probabilities that add up to one.",
    )
