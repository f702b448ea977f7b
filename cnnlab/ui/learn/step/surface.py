"""Optimisers side by side on a loss of two numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from cnnlab.charts.surface import colours_of, contours, losses_by_step
from cnnlab.learn.loss_surface import SURFACES, Path, Surface, outcome_of, paths, to_guess
from cnnlab.learn.optimisers import MOMENTUM, OPTIMISERS
from cnnlab.ui.widgets.guess_first import guess_first
from cnnlab.ui.widgets.live_chart import live_chart

RATES = [float(f"{10 ** (place / 20):.2g}") for place in range(-80, 11)]  # 0.0001 to 3.2, twenty per decade
_KEY = "learn.step.surface"


def show() -> None:
    """Show the loss surface, the settings, the paths, the losses."""
    st.markdown(
        "A network has thousands of weights; two are enough to see what an optimiser does. All optimisers start at "
        "the same point, with the same learning rate."
    )
    name = st.segmented_control(
        "Surface",
        list(SURFACES),
        default="Narrow valley",
        required=True,
        key=f"{_KEY}.name",
        persist_state="session",
    )
    surface = SURFACES[name]
    st.caption(f"Loss = {surface.formula}. {surface.about}")
    chosen, rate, steps = _chosen_settings(name, surface)
    start = _chosen_start(name, surface)
    if not chosen:
        st.info("Select an optimiser to see its path.", icon=":material/route:")
        return
    ways = _walked(name, tuple(chosen), rate, steps, start)
    if not guess_first(_KEY, to_guess(name, chosen, steps), lambda: outcome_of(ways), waits=False):
        return
    colours = colours_of(list(OPTIMISERS))
    x, y, losses = _drawn(name)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        points = {optimiser: way.points.numpy() for optimiser, way in ways.items()}
        _show(contours(x, y, losses, points, colours), f"{_KEY}.ways", name, "The paths over the loss surface")
        st.caption("Darker = higher loss. Lines join points of equal loss.")
    with right:
        _show(
            losses_by_step({optimiser: way.losses.tolist() for optimiser, way in ways.items()}, colours),
            f"{_KEY}.losses",
            name,
            "The loss after each step",
        )
        st.markdown("\n".join(f"- {_ending(optimiser, way)}" for optimiser, way in ways.items()))


def _show(figure: go.Figure, key: str, name: str, alt: str) -> None:
    """Show a chart updated in place, faster than a new figure; touch scrolls the page."""
    live_chart(figure.update_layout(dragmode=False), key, name, alt, height=figure.layout.height)


def _chosen_settings(name: str, surface: Surface) -> tuple[list[str], float, int]:
    chosen = st.pills(
        "Optimisers",
        list(OPTIMISERS),
        selection_mode="multi",
        default=list(OPTIMISERS),
        key=f"{_KEY}.optimisers",
        persist_state="session",
        help=f"Momentum is SGD with momentum {MOMENTUM:g}; the others use PyTorch's defaults.",
    )
    left, right = st.columns(2)
    rate = left.select_slider(
        "Learning rate",
        RATES,
        surface.rate,
        key=f"{_KEY}.rate.{name}",
        format_func="{:g}".format,
        persist_state="session",
    )
    most = surface.most_steps
    steps = right.slider("Steps", 1, most, min(40, most), key=f"{_KEY}.steps.{name}", persist_state="session")
    return chosen, rate, steps


def _chosen_start(name: str, surface: Surface) -> tuple[float, float]:
    ends = (("x", surface.x, surface.start[0]), ("y", surface.y, surface.start[1]))
    x, y = (
        column.slider(
            f"Start, {axis}",
            float(reach[0]),
            float(reach[1]),
            first,
            0.02,
            key=f"{_KEY}.start.{axis}.{name}",
            persist_state="session",
        )
        for column, (axis, reach, first) in zip(st.columns(2), ends, strict=True)
    )
    return x, y


def _ending(optimiser: str, way: Path) -> str:
    if way.is_lost:
        return f"**{optimiser}** diverged after {way.steps} steps: its learning rate is too high."
    return f"**{optimiser}**: loss {way.losses[-1]:.3g} after {way.steps} steps."


@st.cache_data(show_spinner=False, max_entries=256)
def _walked(
    name: str, optimisers: tuple[str, ...], rate: float, steps: int, start: tuple[float, float]
) -> dict[str, Path]:
    return paths(SURFACES[name], optimisers, rate, steps, start)


@st.cache_data(show_spinner=False)
def _drawn(name: str) -> tuple[np.ndarray[Any, Any], ...]:
    return tuple(part.numpy() for part in SURFACES[name].grid())
