"""nn.Conv2d, every argument: its effect on the window, the output's shape and the cost."""

from __future__ import annotations

import streamlit as st

from cnnlab.learn.conv2d import Measured, code, fixes, measure, network_on
from cnnlab.learn.convolution import fresh, work
from cnnlab.learn.sample_images import picture_of
from cnnlab.networks.designs import to_link
from cnnlab.networks.layers import Conv2d, Shape, shown
from cnnlab.networks.layers.base import pair
from cnnlab.ui.learn.conv2d_form import conv2d_form, pick_example
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.address import DESIGN
from cnnlab.ui.widgets.bounds import whole_number
from cnnlab.ui.widgets.sliding_window import show_window
from cnnlab.ui.widgets.window_scene import scene_of, told_of


def show() -> None:
    """Show the chapter."""
    pick_example()
    window = st.container()
    st.markdown("Nine arguments decide which pixels a convolution reads. Change one at a time, and watch the window.")
    asked = conv2d_form()
    if asked is None:
        return
    layer, shape = asked
    try:
        measured = measure(layer, shape)
    except ValueError as error:
        _refused(str(error), layer, shape)
        return
    _tell(layer, shape, measured)
    with window:
        _step(layer, shape)
    frame.door("Design", "Build a network on this layer", {DESIGN.name: to_link(network_on(layer))})


def _refused(words: str, layer: Conv2d, shape: Shape) -> None:
    """Show the error, mostly PyTorch's own, and how to fix it."""
    st.error(frame.literal(words), title="PyTorch rejects this layer")
    for mend in fixes(layer, shape):
        st.markdown(f":material/build: Use {frame.literal(mend)}.")


def _tell(layer: Conv2d, shape: Shape, measured: Measured) -> None:
    """Show the code, and the output's shape, parameters and cost with their formulas."""
    st.code(f"{code(layer, shape)}  # torch.Size({list(measured.shape)})", wrap_lines=True)
    image = shape[1:]
    macs = layer.macs(image, 0)
    told = {
        "Output of the batch": (shown(measured.shape), layer.shape_formula(image, 0)),
        "Parameters": (f"{measured.parameters:,}", layer.parameter_formula(image, 0)),
        "Multiply-accumulates for one image": (f"{macs:,}", _macs_formula(layer, measured)),
    }
    for column, (label, (value, formula)) in zip(st.columns([5, 4, 5]), told.items(), strict=True):
        with column:
            st.metric(label, value)
            st.caption(frame.literal(formula))


def _macs_formula(layer: Conv2d, measured: Measured) -> str:
    """Write the formula of the multiply-accumulates: every weight is used once at every position."""
    weights = measured.parameters - layer.out_channels * layer.bias
    rows, columns = measured.shape[2:]
    return f"{weights:,} weights at each of {rows}·{columns} positions"


def _step(layer: Conv2d, shape: Shape) -> None:
    """Show the sliding window over an image of that shape, with PyTorch's initial weights."""
    place = st.container()
    channel: int | None = 1
    if layer.out_channels > 1:
        channel = whole_number(
            f"Output channel, 1 to {layer.out_channels}",
            1,
            layer.out_channels,
            width=220,
            value=1,
            key=f"learn.conv2d.channel.{layer.out_channels}",
            persist_state="session",
        )
    if channel is None:
        return
    image = picture_of(shape[1:])
    module = fresh(layer, shape[1:])
    worked = work(image, layer, module.weight, module.bias, channel - 1)
    scene = scene_of(worked, shape[1] == 3)
    with place:
        show_window(scene, "learn.conv2d.window")
    st.caption(" ".join(filter(None, [told_of(scene, worked), _about(layer, shape)])))


def _about(layer: Conv2d, shape: Shape) -> str:
    """Explain the sliding window for these arguments."""
    told = ["The weights are PyTorch's initial ones, from seed 0."]
    if shape[1] not in (1, 3):
        told.append("The input is random smooth maps, because it has no colours to show.")
    padded = layer.padding == "same" or (not isinstance(layer.padding, str) and any(pair(layer.padding)))
    if padded and layer.padding_mode == "zeros":
        told.append("Shaded: the padding, all zeros.")
    elif padded:
        told.append("Shaded: the padding. A blue square marks the source of each padding pixel under the window.")
    if layer.groups > 1:
        each = shape[1] // layer.groups
        told.append(f"Each output channel reads {each} of {shape[1]} input channels.")
    return " ".join(told)
