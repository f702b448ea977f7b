"""A form with every argument of nn.Conv2d, filled from an example or by hand."""

from __future__ import annotations

from typing import Any, Literal, cast, get_args

import streamlit as st

from cnnlab.learn.conv2d import EXAMPLES, Example
from cnnlab.networks.layers import Conv2d, Shape
from cnnlab.networks.layers.base import pair
from cnnlab.ui.shell.state import CONV2D_EXAMPLE, conv2d_field
from cnnlab.ui.widgets.bounds import whole_number

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


def pick_example() -> None:
    """Show the choice of an example, which fills the form."""
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


def conv2d_form() -> tuple[Conv2d, Shape] | None:
    """Show the form; return the layer, and the shape (N, C, H, W) of its input batch, None where a number is wrong."""
    with st.container(border=True):
        with st.container(horizontal=True):
            batch = [_number(field, field) for field in _BATCH]
        with st.container(horizontal=True):
            out_channels, groups = _number("out_channels", "out_channels"), _number("groups", "groups")
            mode = _padding_mode()
        apart, same, bias = _switches()
        sizes = _sizes([field for field in _SIZES if not (same and field == "padding")], apart)
    shape = tuple(number for number in batch if number is not None)
    if out_channels is None or groups is None or sizes is None or len(shape) < len(batch):
        return None
    if same:
        sizes["padding"] = "same"
    return Conv2d(out_channels=out_channels, groups=groups, bias=bias, padding_mode=mode, **sizes), shape


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


def _sizes(fields: list[str], apart: bool) -> dict[str, Any] | None:
    """Show one number for each field, or two where rows and columns are set separately; None where one is wrong."""
    with st.container(horizontal=True):
        rows = {field: _number(f"{field}, rows" if apart else field, f"{field}.rows") for field in fields}
    columns = rows
    if apart:
        with st.container(horizontal=True):
            columns = {field: _number(f"{field}, columns", f"{field}.columns") for field in fields}
    if None in (*rows.values(), *columns.values()):
        return None
    return {field: row if row == columns[field] else (row, columns[field]) for field, row in rows.items()}


def _number(label: str, name: str) -> int | None:
    field = name.split(".", maxsplit=1)[0]
    return whole_number(
        label,
        *_LIMITS[field],
        width=160,
        key=conv2d_field(name).name,
        persist_state="session",
        help=_HELP.get(field),
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
