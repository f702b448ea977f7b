"""Feature maps: a layer's input and output for an image, and what activates each map most."""

from __future__ import annotations

import copy
from functools import partial

import pandas as pd
import streamlit as st
from torch import Tensor

from cnnlab import charts
from cnnlab.analysis.activations import Patch, convolution_of, leaves, look, strongest_patches
from cnnlab.analysis.weights import filters
from cnnlab.jobs.worker import Part, Worker
from cnnlab.networks.architecture import receptive_fields
from cnnlab.runs.trained import test_split
from cnnlab.ui.shell.literal import literal
from cnnlab.ui.shell.state import Key, tile_of
from cnnlab.ui.views.cached import STATISTICS_IMAGES, layer_statistics
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.awaited import awaited, begun
from cnnlab.ui.widgets.figure import TILES, close_button, opened, paged, show_figure, tidy
from cnnlab.ui.widgets.images import upright

PATCH_IMAGES = 2_000  # test images searched for the strongest patches

_SCALES = ("shared", "each its own")


def show(at: Look) -> None:
    """Show a layer's maps; a click shows one with its filter and strongest patches; also statistics of all layers."""
    trained = at.trained
    seen = look(trained.network, trained.inputs(at.picked.pixels))
    kinds = {name: type(module).__name__ for name, module in leaves(trained.network).items()}
    layers = [name for name, found in seen.items() if found.after.dim() == 4 and kinds[name] != "Resize"]
    if not layers:
        st.info("This network has no layer with feature maps.")
        return
    left, right = st.columns(2)
    layer = left.selectbox(
        "Layer", layers, format_func=lambda name: f"{name} ({kinds[name]})", key=f"inside.layer.{at.run.id}"
    )
    scale = right.segmented_control(
        "Scale", _SCALES, default=_SCALES[0], required=True, key="inside.scale", persist_state="session"
    )
    before, after = seen[layer].before[0], seen[layer].after[0]  # (C, H, W) each
    compares = before.shape == after.shape and kinds[layer] not in ("Conv2d", "PaddedConv2d", "Dropout")
    sides = {f"Before {layer}": before, f"After {layer}": after} if compares else {f"Output of {layer}": after}
    shown = paged(len(after), TILES, f"inside.maps.{layer}")
    opens = tile_of("map", layer)
    unit = opened(opens, len(after))
    overview, *detail = st.columns([3, 2]) if unit is not None else [st.container()]
    # Beside an open map there is no room for two grids in a row.
    places = overview.columns(len(sides)) if unit is None else [overview] * len(sides)
    for place, (title, maps) in zip(places, sides.items(), strict=True):
        with place:
            _grid(title, maps, shown, scale != _SCALES[0], opens)
    overview.caption(
        f"{after.shape[0]} feature maps of {after.shape[1]}×{after.shape[2]} for this image, after epoch "
        f"{trained.epoch}. Each tile is one filter's response at every position, blue where it is strong. "
        "Click a map to see its filter and the patches that excite it most."
    )
    if unit is not None:
        with detail[0]:
            _one_map(at, layer, unit, after[unit], opens)
    _statistics(at)


def _grid(title: str, maps: Tensor, shown: slice, own_scale: bool, opens: Key[int | None]) -> None:
    """Show some of the ``maps`` (C, H, W), each on its own scale or all on one."""
    st.markdown(f"**{literal(title)}**")
    show_figure(
        charts.feature_map_grid(maps[shown].numpy(), range(len(maps))[shown], own_scale=own_scale),
        f"maps-{title.replace(' ', '-')}",
        f"{title}: feature maps",
        partial(tidy, maps.numpy(), "map", "row", "column"),
        opens=opens,
    )


def _one_map(at: Look, layer: str, unit: int, seen: Tensor, opens: Key[int | None]) -> None:
    """Show one map: ``seen`` (height, width), with its filter and strongest patches."""
    trained = at.trained
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"#### Map {unit} of {literal(layer)}")
        close_button(opens)
    convolution = convolution_of(trained.network, layer)
    show_figure(
        charts.picture(seen.numpy(), "activation", height=240),
        f"map-{layer}-{unit}",
        f"Map {unit} of {layer}",
        lambda: tidy(seen.numpy(), "row", "column"),
        "The map alone; hover to read its values.",
    )
    if convolution:
        weights = filters(trained.network, convolution)[unit]  # (in, height, width)
        show_figure(
            charts.filter_grid(weights.numpy()).update_layout(height=240),
            f"made-by-{convolution}-{unit}",
            f"Filter {unit} of {convolution}",
            lambda: tidy(weights.numpy(), "input channel", "row", "column"),
            f"The filter that made it: number {unit} of {literal(convolution)}, one tile for each input channel.",
        )
    else:
        st.info("No single filter made this map, because it is a sum over channels.")
    part = awaited("Searching the test images", _patches, at.at, layer, unit, at)
    if part is None or part.result is None:
        return
    patches = part.result
    height, width = patches[0].pixels.shape[1:]
    what = f"the {height}×{width} pixels in the receptive field of this position, black beyond the image's edge"
    if (height, width) == trained.shape[1:]:
        what = "the whole images, because the receptive field covers nearly all of them"
    show_figure(
        charts.tile_strip([upright(patch.pixels) for patch in patches], [f"{patch.value:.2f}" for patch in patches], 5),
        f"patches-{layer}-{unit}",
        f"The test images' patches that excite map {unit} of {layer} most",
        lambda: pd.DataFrame([{"test image": patch.image, "activation": patch.value} for patch in patches]),
        f"What excites it most in up to {PATCH_IMAGES:,} test images. Above each patch: the activation. Each shows "
        f"{what}.",
    )


def _statistics(at: Look) -> None:
    with st.expander("Activity of each layer"):
        frame = pd.DataFrame(
            [
                {
                    "Layer": row.name,
                    "Kind": row.kind,
                    "Mean": row.mean,
                    "Deviation": row.deviation,
                    "Zeros": row.zeros,
                    "Units": row.units,
                    "Dead units": None if row.dead is None else len(row.dead),
                }
                for row in layer_statistics(at)
            ]
        )
        number = st.column_config.NumberColumn(format="%.3f")
        st.dataframe(
            frame,
            hide_index=True,
            column_config={
                "Mean": number,
                "Deviation": number,
                "Zeros": st.column_config.NumberColumn(format="percent"),
            },
        )
        st.caption(
            f"Over about {STATISTICS_IMAGES} random test images. Zeros: outputs that are exactly zero. Dead units: "
            "channels or features that stay at zero after a ReLU for all these images."
        )


@st.cache_resource(max_entries=128, show_spinner=False, on_release=Worker.cancel)
def _patches(at: str, layer: str, unit: int, _look: Look) -> Worker[Part[list[Patch]]]:
    run, trained = _look.run, _look.trained
    field = receptive_fields(run.config.architecture, trained.shape, len(trained.classes))[_geometry(layer)]
    images = test_split(run).part(slice(PATCH_IMAGES))
    network = copy.deepcopy(trained.network)  # of its own: the page goes on with the other
    return begun(strongest_patches(network, layer, unit, images, trained.inputs, field))


def _geometry(layer: str) -> str:
    """Return the layer whose receptive field applies: the sum at a residual block's end has the block's."""
    return layer.removesuffix(".activation")
