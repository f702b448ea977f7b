"""Filters: the weights of a convolution, and how far they moved in training."""

from __future__ import annotations

import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator

from cnnlab import charts
from cnnlab.analysis.activations import relu_of
from cnnlab.analysis.weights import conv_layers, filters, norms
from cnnlab.ui.inspect.nothing_to_show import nothing_to_show
from cnnlab.ui.shell.literal import literal
from cnnlab.ui.shell.state import Key, tile_of
from cnnlab.ui.views.cached import STATISTICS_IMAGES, layer_statistics, weights_after
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.figure import TILES, close_button, opened, paged, show_figure, tidy

_NO_FILTERS = "This network has no convolution, so there are no filters to show."
_ORDERS = ("number", "norm, largest first", "change, largest first")


def show(look: Look) -> None:
    """Show a grid of filters on one scale; a click shows one with all its input channels."""
    network, run = look.trained.network, look.run
    layers = list(conv_layers(network))
    if not layers:
        nothing_to_show(_NO_FILTERS, "inside", "Layer by layer", "See what its layers do")
        return
    left, middle, right = st.columns(3)
    layer = left.selectbox("Convolution", layers, key=f"inside.conv.{run.id}", persist_state="session")
    weights = filters(network, layer)  # (out, in / groups, height, width)
    count, inputs, height, width = weights.shape
    channel = _input_channel(middle, layer, inputs)
    order = right.selectbox("Order by", _ORDERS, key="inside.order", persist_state="session")
    first, last = look.epochs[0], look.epochs[-1]  # a network from elsewhere has no epoch 0
    lengths, moved = norms(weights), norms(weights - weights_after(run, first)[f"{layer}.weight"])
    units = _ordered(order, lengths, moved)[paged(count, TILES, f"inside.filters.{layer}")]
    dead = _dead(look, layer)
    notes = [
        f"norm {lengths[unit]:.2f}, moved {moved[unit]:.2f} since epoch {first}" + (", dead" if unit in dead else "")
        for unit in units
    ]
    opens = tile_of("filter", layer)
    unit = opened(opens, count)
    grid, *detail = st.columns([3, 2]) if unit is not None else [st.container()]
    some = f" {len(units)} of them are shown." if len(units) < count else ""
    limit = max(float(weights_after(run, epoch)[f"{layer}.weight"].abs().max()) for epoch in (first, last))
    with grid:
        show_figure(
            charts.filter_grid(weights[units, channel - 1].numpy(), units, notes, dead, limit),
            f"filters-{layer}",
            f"Filters of {layer} after epoch {look.trained.epoch}",
            lambda: tidy(weights.numpy(), "filter", "input channel", "row", "column"),
            f"{count} filters of {height}×{width} weights after epoch {look.trained.epoch}, for input channel "
            f"{channel} of {inputs}.{some} Blue weights respond to bright pixels, red ones to dark pixels. One colour "
            f"scale for all filters and epochs, with zero in the middle. {_about(dead)} Click a filter to see all its "
            "input channels.",
            opens,
        )
    if unit is not None:
        with detail[0]:
            _one_filter(layer, unit, weights[unit], opens)


def _input_channel(place: DeltaGenerator, layer: str, inputs: int) -> int:
    """Choose one of the filters' input channels where there are several; counted from 1."""
    if inputs == 1:
        return 1
    label, key = f"Input channel, 1 to {inputs}", f"inside.channel.{layer}"
    return place.number_input(label, 1, inputs, key=key, persist_state="session")


def _one_filter(layer: str, unit: int, weights: torch.Tensor, opens: Key[int | None]) -> None:
    """Show filter ``unit`` of a layer, whose ``weights`` are (in, height, width)."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"#### Filter {unit} of {literal(layer)}")
        close_button(opens)
    show_figure(
        charts.filter_grid(weights.numpy()),
        f"filter-{layer}-{unit}",
        f"Filter {unit} of {layer}",
        lambda: tidy(weights.numpy(), "input channel", "row", "column"),
        "One tile per input channel. The output is the sum of weights times inputs over all channels, plus the bias.",
    )


def _ordered(order: str, lengths: torch.Tensor, moved: torch.Tensor) -> list[int]:
    if order == _ORDERS[0]:
        return list(range(len(lengths)))
    chosen: list[int] = (lengths if order == _ORDERS[1] else moved).argsort(descending=True).tolist()
    return chosen


def _dead(look: Look, layer: str) -> tuple[int, ...]:
    relu = relu_of(look.trained.network, layer)
    if relu is None:
        return ()
    return next((row.dead for row in layer_statistics(look) if row.name == relu), None) or ()


def _about(dead: tuple[int, ...]) -> str:
    if not dead:
        return ""
    return (
        f"Crossed out (dead): {len(dead)} filters. None of about {STATISTICS_IMAGES} images gets an output above zero "
        "after their ReLU."
    )
