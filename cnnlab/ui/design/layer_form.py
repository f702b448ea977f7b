"""The form of one layer: a field for every setting of the layer, generated from its schema."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import streamlit as st
from pydantic import TypeAdapter

from cnnlab.networks.architecture import LayerSummary, Place
from cnnlab.networks.layers import Layer, shown
from cnnlab.quantities import size
from cnnlab.training.config import field_title
from cnnlab.ui.design import state
from cnnlab.ui.design.state import Images
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.glossary_links import linked
from cnnlab.ui.shell.state import Key, design_field

NUMBER = "number"  # the option of a number instead of a word, as in padding
LABELS = {
    "out_channels": "Filters (output channels)",
    "kernel_size": "Kernel, px",
    "stride": "Stride, px",
    "padding": "Padding, px",
    "dilation": "Dilation, px",
    "bias": "Bias",
    "padding_mode": "Padding mode",
    "init": "Initial weights",
    "spread": "Standard deviation of the initial weights",
    "ceil_mode": "Keep a partial last window (ceil_mode)",
    "count_include_pad": "Count the padding in the mean",
    "pool": "Pooling",
    "output_size": "Output size, px",
    "eps": "Epsilon, added to the variance",
    "momentum": "Momentum of the running mean",
    "affine": "Learn a factor and an offset",
    "p": "Probability",
    "channels": "Drop whole maps",
    "out_features": "Features",
    "norm": "With batch norm and ReLU",
    "reduction": "Reduction (channels per gate channel)",
    "squeezed": "Channels within the gate",
    "within": "First activation of the gate",
    "gate": "Last activation of the gate",
    "per_position": "Each position separately",
    "initial": "Initial factors",
    "activation": "Activation after the sum",
    "pooled": "Average pooling in the shortcut",
}
HELP = {
    "kernel_size": "Height and width of the window that slides over the image.",
    "stride": "How far the window moves at each step.",
    "padding": "Pixels added around the image. “same” keeps its size, “valid” adds none.",
    "dilation": "Distance between the window's pixels. 2 skips every other pixel.",
    "groups": "Number of channel groups. Each group has its own filters.",
    "bias": "One learned number added to each output channel.",
    "init": "How the weights are drawn before training.",
    "p": "Fraction of the numbers set to zero in training.",
    "per_position": "Normalises each pixel over its channels, not over the whole image.",
}
WORDS: dict[tuple[str, object], str] = {
    ("out_features", "classes"): "one per class",
    ("stride", None): "same as the kernel",
    ("squeezed", None): "by the reduction",
}
FINE = {"eps": "%.1e", "momentum": "%.2f", "p": "%.2f", "spread": "%.3f", "initial": "%.1e"}
_LAYER: TypeAdapter[Layer] = TypeAdapter(Layer)


def layer_form(row: LayerSummary, images: Images) -> None:
    """Show every setting of a layer and its effects; each change is one undo step."""
    layer, place = row.layer, row.place
    st.text_input(
        "Name",
        value=layer.name or "",
        placeholder=row.name,
        max_chars=40,
        key=_named("name").name,
        **state.on_change(_set, place, "name", _read("name", lambda text: text.strip() or None)),
    )
    fields = {name: schema for name, schema in _schemas(type(layer)).items() if _matters(layer, name)}
    apart = any(isinstance(getattr(layer, name), tuple) for name in fields)
    if any(_has_pair(schema) for schema in fields.values()):
        apart = st.toggle(
            "Set rows and columns separately",
            value=apart,
            key=_named("apart").name,
            **state.on_change(_join, place, _named("apart")),
        )
    columns = st.columns(2)
    for number, (name, schema) in enumerate(fields.items()):
        with columns[number % 2]:
            _field(layer, place, name, schema, apart)
    _branch_buttons(layer, place)
    if row.output_shape:
        _tell(row, images)


def _tell(row: LayerSummary, images: Images) -> None:
    """Explain how the layer's numbers are computed."""
    layer, shape, classes = row.layer, row.input_shape, images.classes
    told = [f"Output {shown(row.output_shape)}: {layer.shape_formula(shape, classes)}"]
    if formula := layer.parameter_formula(shape, classes):
        told.append(f"Parameters: {formula}")
    kept, peak = row.activation_bytes * images.batch_size, row.peak_bytes * images.batch_size
    told.append(f"A batch of {images.batch_size}: {size(kept)} kept for training, {size(peak)} at once for inference")
    for line in told:
        st.caption(frame.literal(line))


@cache
def _schemas(layer: type[Layer]) -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each setting."""
    schema = layer.model_json_schema()
    own = schema.get("$defs", {}).get(layer.__name__, schema)  # where a layer can contain layers of its own type
    properties: dict[str, dict[str, Any]] = own["properties"]
    return {name: schema for name, schema in properties.items() if name not in {"kind", "name", *layer.chain_fields}}


def _matters(layer: Layer, name: str) -> bool:
    if name == "reduction":
        return getattr(layer, "squeezed", None) is None
    return name != "spread" or getattr(layer, "init", "") in ("uniform", "normal")


def _options(schema: dict[str, Any]) -> list[dict[str, Any]]:
    options: list[dict[str, Any]] = schema.get("anyOf", [schema])
    return options


def _has_pair(schema: dict[str, Any]) -> bool:
    return any(option.get("type") == "array" for option in _options(schema))


def _words(schema: dict[str, Any]) -> list[Any]:
    """List the values that are not numbers."""
    words: list[Any] = []
    for option in _options(schema):
        words += option.get("enum", [option["const"]] if "const" in option else [])
        words += [None] if option.get("type") == "null" else []
    return words


def _field(layer: Layer, place: Place, name: str, schema: dict[str, Any], apart: bool) -> None:
    value, words = getattr(layer, name), _words(schema)
    number = next((option for option in _options(schema) if option.get("type") in ("integer", "number")), None)
    label, note = LABELS.get(name, field_title(name)), HELP.get(name)
    if schema.get("type") == "boolean":
        st.checkbox(
            label, value=value, key=_named(name).name, help=note, **state.on_change(_set, place, name, _read(name))
        )
        return
    if words:
        _choice(place, name, value, [*([NUMBER] if number else []), *words], number)
    if number and value not in words:
        if apart and _has_pair(schema):
            _numbers(place, name, value if isinstance(value, tuple) else (value, value), number)
        else:
            _number(f"{label}:" if words else label, place, name, name, value, number)


def _choice(place: Place, name: str, value: object, options: list[Any], number: dict[str, Any] | None) -> None:
    key = f"{name}.choice"
    least = max(1, int((number or {}).get("minimum", 1)))
    st.selectbox(
        LABELS.get(name, field_title(name)),
        options,
        index=options.index(value) if value in options else 0,
        format_func=lambda word: WORDS.get((name, word), str(word)),
        key=_named(key).name,
        help=linked(HELP.get(name, ""), name),
        **state.on_change(_set, place, name, _read(key, lambda chosen: least if chosen == NUMBER else chosen)),
    )


def _numbers(place: Place, name: str, values: tuple[int, int], schema: dict[str, Any]) -> None:
    readings = [_read(f"{name}.{axis}") for axis in (0, 1)]

    def read() -> tuple[object, ...]:
        return tuple(reading() for reading in readings)

    label = LABELS.get(name, field_title(name))
    for axis, (column, word) in enumerate(zip(st.columns(2), ("rows", "columns"), strict=True)):
        with column:
            _number(f"{label}, {word}", place, name, f"{name}.{axis}", values[axis], schema, read)


def _number(
    label: str,
    place: Place,
    name: str,
    key: str,
    value: float,
    schema: dict[str, Any],
    read: Callable[[], object] | None = None,
) -> None:
    kind = int if schema["type"] == "integer" else float
    st.number_input(
        label,
        label_visibility="collapsed" if label.endswith(":") else "visible",  # shown below the choice of that name
        value=kind(value),
        step=1 if kind is int else 0.05,
        format=FINE.get(name),
        key=_named(key).name,
        help=linked(HELP.get(name, ""), name),
        **state.on_change(_set, place, name, read or _read(key)),
    )


def _branch_buttons(layer: Layer, place: Place) -> None:
    chains, counts = list(layer.chains.values()), layer.branch_counts
    if not counts:
        return
    more, fewer = st.columns(2)
    with more:
        st.button(
            "Add a branch", on_click=_set_chains, args=[place, [*chains, ()]], disabled=len(chains) + 1 not in counts
        )
    with fewer:
        st.button(
            "Remove the last branch",
            on_click=_set_chains,
            args=[place, chains[:-1]],
            disabled=len(chains) - 1 not in counts,
        )


def _set_chains(place: Place, chains: list[tuple[Layer, ...]]) -> None:
    state.change_layer(place, lambda layer: layer.with_chains(chains))


def _named(name: str) -> Key[Any]:
    return design_field("layer", name)


def _read(name: str, meaning: Callable[[Any], object] = lambda value: value) -> Callable[[], object]:
    """Make a function that reads a widget of this form, even after another form has replaced it."""
    field = _named(name)
    return lambda: meaning(field.get())


def _set(place: Place, name: str, read: Callable[[], object]) -> None:
    """Set one field of the layer at ``place`` to its widget's value."""
    state.change_layer(place, lambda layer: _with(layer, {name: read()}))


def _join(place: Place, is_apart: Key[bool]) -> None:
    """Use the rows' values for both axes once rows and columns are no longer set separately."""
    if is_apart.get():
        return

    def joined(layer: Layer) -> Layer:
        pairs = {name: getattr(layer, name) for name in _schemas(type(layer))}
        return _with(layer, {name: pair[0] for name, pair in pairs.items() if isinstance(pair, tuple)})

    state.change_layer(place, joined)


def _with(layer: Layer, changes: dict[str, object]) -> Layer:
    return _LAYER.validate_python({**layer.model_dump(), **changes})
