"""A form with every argument of nn.Conv2d, filled from an example or by hand."""

from __future__ import annotations

from typing import Literal, cast, get_args

import streamlit as st

from cnnlab.learn.conv2d import EXAMPLES, Example
from cnnlab.networks.layers import Conv2d, Shape
from cnnlab.networks.layers.base import pair
from cnnlab.ui.shell.state import CONV2D_EXAMPLE, conv2d_field

Mode = Literal["zeros", "reflect", "replicate", "circular"]

_FIRST = "digit"
_LIMITS = {  # lowest and highest; larger values would be slow, or not fit the page
    "images": (1, 1024),
    "in_channels": (1, 64),
    "height": (1, 100),
    "width": (1, 100),
    "out_channels": (1, 64),
    "groups": (1, 64),
    "kernel_size": (1, 15),
    "stride": (1, 8),
    "padding": (0, 16),
    "dilation": (1, 8),
}
_BATCH = ("images", "in_channels", "height", "width")
_SIZES = ("kernel_size", "stride", "padding", "dilation")
_HELP = {
    "kernel_size": "Height and width of the window, in pixels.",
    "stride": "Pixels that the window moves at each step.",
    "padding": "Pixels added on each side of the image.",
    "dilation": "Distance between the window's pixels. 2 skips every other pixel.",
    "groups": "Number of channel groups. Each group has its own filters.",
    "padding_mode": "What the padding is filled with.",
    "bias": "One learned number added to each output channel.",
}


def conv2d_form() -> tuple[Conv2d, Shape]:
    """Show the form; return the layer, and the shape (N, C, H, W) of its input batch."""
    if not conv2d_field("images").is_set:
        _fill_with(EXAMPLES[_FIRST])
    name = st.selectbox(
        "Example",
        list(EXAMPLES),
        format_func=lambda name: EXAMPLES[name].title,
        key=CONV2D_EXAMPLE.name,
        persist_state="session",
        on_change=_fill,
    )
    st.caption(EXAMPLES[name].about)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            shape = tuple(_number(field, field) for field in _BATCH)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            out_channels, groups = _number("out_channels", "out_channels"), _number("groups", "groups")
            mode = _padding_mode()
        apart, same, bias = _switches()
        sizes = _sizes([field for field in _SIZES if not (same and field == "padding")], apart)
    layer = Conv2d(
        out_channels=out_channels,
        kernel_size=sizes["kernel_size"],
        stride=sizes["stride"],
        padding="same" if same else sizes["padding"],
        dilation=sizes["dilation"],
        groups=groups,
        bias=bias,
        padding_mode=mode,
    )
    return layer, shape


def _padding_mode() -> Mode:
    mode = st.selectbox(
        "padding_mode",
        get_args(Mode),
        key=conv2d_field("padding_mode").name,
        persist_state="session",
        help=_HELP["padding_mode"],
        width=160,
    )
    return cast(Mode, mode)


def _switches() -> tuple[bool, bool, bool]:
    """Show three switches: separate rows and columns; padding 'same'; bias."""
    with st.container(horizontal=True):
        apart = st.toggle(
            "Set rows and columns separately",
            key=conv2d_field("apart").name,
            persist_state="session",
            on_change=_begin_alike,
        )
        same = st.toggle("padding='same'", key=conv2d_field("same").name, persist_state="session")
        bias = st.toggle("bias", key=conv2d_field("bias").name, persist_state="session", help=_HELP["bias"])
    return apart, same, bias


def _sizes(fields: list[str], apart: bool) -> dict[str, int | tuple[int, int]]:
    """Show one number for each field, or two where rows and columns are set separately."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rows = {field: _number(f"{field}, rows" if apart else field, f"{field}.rows") for field in fields}
    if not apart:
        return dict(rows)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        columns = {field: _number(f"{field}, columns", f"{field}.columns") for field in fields}
    return {field: row if row == columns[field] else (row, columns[field]) for field, row in rows.items()}


def _number(label: str, name: str) -> int:
    field = name.split(".", maxsplit=1)[0]
    low, high = _LIMITS[field]
    return int(
        st.number_input(
            label,
            low,
            high,
            key=conv2d_field(name).name,
            persist_state="session",
            help=_HELP.get(field),
            width=160,
            step=1,
        )
    )


def _fill() -> None:
    _fill_with(EXAMPLES[CONV2D_EXAMPLE.get()])


def _fill_with(example: Example) -> None:
    """Fill every field from the example."""
    layer = example.layer
    fields: dict[str, object] = dict(zip(_BATCH, example.shape, strict=True))
    fields |= {name: getattr(layer, name) for name in ("out_channels", "groups", "padding_mode", "bias")}
    fields |= {"same": layer.padding == "same", "apart": False}
    for field in _SIZES:
        value = getattr(layer, field)
        rows, columns = (0, 0) if isinstance(value, str) else pair(value)
        fields |= {f"{field}.rows": rows, f"{field}.columns": columns}
        fields["apart"] = fields["apart"] or rows != columns
    for name, value in fields.items():
        conv2d_field(name).put(value)


def _begin_alike() -> None:
    """Copy the rows' numbers to the columns' fields, as they have applied to both."""
    for field in _SIZES:
        conv2d_field(f"{field}.columns").put(conv2d_field(f"{field}.rows").get())
