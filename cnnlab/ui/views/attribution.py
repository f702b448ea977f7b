"""Attribution: which pixels speak for a class, for two classes side by side, and whether to trust the map."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import streamlit as st
import torch
from torch import Tensor, nn

from cnnlab import charts
from cnnlab.analysis.activations import feature_maps
from cnnlab.analysis.attribution import METHODS, Attribution, Question, default_layer, randomised, similarity
from cnnlab.ui.shell.glossary_links import linked
from cnnlab.ui.shell.literal import literal
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.figure import show_figure, tidy

_NOTHING = "nothing"


def show(at: Look) -> None:
    """Maps for one or two classes, and the same maps of a network that has learned nothing."""
    trained = at.trained
    inputs = trained.inputs(at.picked.pixels)
    maps = feature_maps(trained.network, inputs)
    layers = list(maps)
    methods = [name for name, method in METHODS.items() if layers or not method.uses_layer]
    probabilities = trained.probabilities(at.picked.pixels)[0]
    order = probabilities.argsort(descending=True).tolist()
    columns = st.columns(4)
    name = columns[0].selectbox(
        "Method", methods, format_func=lambda key: METHODS[key].title, key="inside.method", persist_state="session"
    )
    method = METHODS[name]
    classes = list(trained.classes)

    def named(label: int) -> str:
        return f"{classes[label]} ({probabilities[label]:.1%})"

    target = columns[1].selectbox("Why", order, format_func=named)
    other = columns[2].selectbox(
        "and not", [None, *order], format_func=lambda label: _NOTHING if label is None else named(label)
    )
    layer = ""
    if method.uses_layer:
        layer = columns[3].selectbox(
            "Layer",
            layers,
            index=layers.index(default_layer(maps, inputs.shape[2])),
            key=f"inside.cam.{at.run.id}",
            persist_state="session",
        )
    on_image = st.toggle("Over the image", True, key="inside.overlay", persist_state="session")

    grey = at.picked.pixels[0].float().mean(0).numpy()  # (C, H, W) → (H, W)
    targets = [target] if other is None else [target, other]
    found = [_attribute(at, trained.network, inputs, label, layer, name) for label in targets]
    limit = max(float(attribution.values.abs().max()) for attribution in found) or 1.0
    for column, label, attribution in zip(st.columns(2), targets, found, strict=False):
        with column:
            st.markdown(f"**{method.title} for {literal(classes[label])}**")
            _map(attribution, f"{name}-{classes[label]}", grey, method.signed, on_image, limit)
    shared = "Both maps share one scale. " if other is not None else ""
    st.caption(linked(f"{method.reading} {shared}After {method.source}."))

    st.markdown("#### Can this map be trusted?")
    st.caption(
        "The same map of the same network, but with weights that have learned nothing (Adebayo et al. 2018). A map "
        "that stays alike shows the image's edges, not what the network learned."
    )
    for column, last_only in zip(st.columns(2), (False, True), strict=True):
        with column:
            control = randomised(trained.network, last_only)
            attribution = _attribute(at, control, inputs, target, layer, name)
            what = "only the last layer random" if last_only else "all weights random"
            alike = similarity(found[0].values, attribution.values)
            st.markdown(f"**{what.capitalize()}**: rank correlation {alike:.2f}".replace("-", "−"))
            _map(attribution, f"{name}-{what.replace(' ', '-')}", grey, method.signed, on_image, None)
    st.caption(
        "Rank correlation (Spearman) of the maps' magnitudes with the one above: near 0 the map depends on what was "
        "learned, near 1 it does not."
    )


def _attribute(at: Look, network: nn.Module, inputs: Tensor, target: int, layer: str, method: str) -> Attribution:
    blank = at.trained.inputs(torch.zeros_like(at.picked.pixels))
    return METHODS[method].compute(Question(network, inputs, blank, target, layer))


def _map(
    attribution: Attribution,
    name: str,
    grey: npt.NDArray[np.floating],
    signed: bool,
    on_image: bool,
    limit: float | None,
) -> None:
    values = attribution.values.numpy()
    show_figure(
        charts.overlay(grey, values, signed, on_image, limit),
        name,
        f"{name}: how much each pixel of the image speaks for the class",
        lambda: tidy(values, "row", "column"),
        f"{attribution.note[:1].upper()}{attribution.note[1:]}." if attribution.note else "",
    )
