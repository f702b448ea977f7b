"""Attribution: which pixels contribute to a class, for two classes side by side, and a sanity check of the map."""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial

import streamlit as st
import torch
from torch import Tensor, nn

from cnnlab import charts
from cnnlab.analysis.activations import feature_maps
from cnnlab.analysis.attribution import METHODS, Attribution, Question, default_layer, randomised, similarity
from cnnlab.jobs.worker import Worker
from cnnlab.quantities import signed
from cnnlab.text import sentence
from cnnlab.ui.shell.glossary_links import explain
from cnnlab.ui.shell.literal import literal
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.awaited import awaited, begun
from cnnlab.ui.widgets.figure import show_figure, tidy

_NOTHING = "nothing"
ALIKE = 0.5  # rank correlation: no sharp bound is known
_LEARNED = "as trained"
_CONTROLS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "all weights random": partial(randomised, last_only=False),
    "only the last layer random": partial(randomised, last_only=True),
}
_COPIES: dict[str, Callable[[nn.Module], nn.Module]] = {_LEARNED: copy.deepcopy, **_CONTROLS}


@dataclass(frozen=True)
class _Choice:
    """The settings of a map: one of METHODS, one or two classes, a layer where the method has one."""

    method: str
    targets: list[int]
    layer: str
    on_image: bool


def show(at: Look) -> None:
    """Show maps for one or two classes, and the same maps of an untrained network."""
    inputs = at.trained.inputs(at.picked.pixels)
    settings, pictures = st.columns([1, 3], gap="medium")
    with settings:
        choice = _choose(at, inputs)
    with pictures:
        maps = [_attribute(at, inputs, label, choice) for label in choice.targets]
        found = [attribution for attribution in maps if attribution]
        if len(found) < len(maps):
            return
        _show_maps(at, choice, found)
    st.markdown("#### Can this map be trusted?")
    _show_controls(at, choice, inputs, found[0])


def _choose(at: Look, inputs: Tensor) -> _Choice:
    trained = at.trained
    maps = feature_maps(trained.network, inputs)
    layers = list(maps)
    methods = [name for name, method in METHODS.items() if layers or not method.uses_layer]
    probabilities = trained.probabilities(at.picked.pixels)[0]
    order = probabilities.argsort(descending=True).tolist()
    name = st.selectbox(
        "Method", methods, format_func=lambda key: METHODS[key].title, key="inside.method", persist_state="session"
    )

    def named(label: int) -> str:
        return at.named(label, probabilities)

    target = st.selectbox("Explain class", order, format_func=named)
    other = st.selectbox(
        "compared with", [None, *order], format_func=lambda label: _NOTHING if label is None else named(label)
    )
    layer = ""
    if METHODS[name].uses_layer:
        layer = st.selectbox(
            "Layer",
            layers,
            index=layers.index(default_layer(trained.network, maps, inputs.shape[2])),
            key=f"inside.cam.{at.run.id}",
            persist_state="session",
        )
    on_image = st.toggle("Over the image", True, key="inside.overlay", persist_state="session")
    return _Choice(name, [target] if other is None else [target, other], layer, on_image)


def _show_maps(at: Look, choice: _Choice, maps: list[Attribution]) -> None:
    method, classes = METHODS[choice.method], at.trained.classes
    limit = max(float(attribution.values.abs().max()) for attribution in maps) or 1.0
    for column, label, attribution in zip(st.columns(2), choice.targets, maps, strict=False):
        with column:
            st.markdown(f"**{method.title} for {literal(classes[label])}**")
            _map(at, attribution, f"{choice.method}-{classes[label]}", choice, limit)
    shared = "Both maps share one scale. " if len(maps) > 1 else ""
    explain(f"{method.reading} {shared}After {method.source}.")


def _show_controls(at: Look, choice: _Choice, inputs: Tensor, learned: Attribution) -> None:
    st.caption(
        "The same map with random weights (Adebayo et al. 2018). If the map stays similar, it shows the image's "
        "edges, not what the network learned."
    )
    for column, what in zip(st.columns(2), _CONTROLS, strict=True):
        with column:
            attribution = _attribute(at, inputs, choice.targets[0], choice, what)
            if attribution is None:
                continue
            alike = similarity(learned.values, attribution.values)
            found = "it depends on what was learned" if abs(alike) < ALIKE else "it hardly depends on what was learned"
            st.markdown(f"**{what.capitalize()}**: {found} (rank correlation {signed(alike, '.2f')})")
            _map(at, attribution, f"{choice.method}-{what.replace(' ', '-')}", choice, None)
    st.caption(
        "Spearman rank correlation of the map's magnitudes with the one above. Near 0 the map depends on the trained "
        "weights, near 1 it does not."
    )


def _attribute(at: Look, inputs: Tensor, target: int, choice: _Choice, weights: str = _LEARNED) -> Attribution | None:
    """Return the map for a class, of a copy of the network; None while it is computed."""
    blank = at.trained.inputs(torch.zeros_like(at.picked.pixels))

    def steps() -> Generator[Attribution]:
        network = _COPIES[weights](at.trained.network)  # of its own: maps are computed side by side
        return METHODS[choice.method].steps(Question(network, inputs, blank, target, choice.layer))

    name, pixels = f"{at.at}.{choice.method}.{choice.layer}.{target}.{weights}", at.picked.pixels.numpy().tobytes()
    what = f"{METHODS[choice.method].title} for {at.trained.classes[target]}, {weights}"
    return awaited(what, _work, name, pixels, steps)


@st.cache_resource(max_entries=64, show_spinner=False, on_release=Worker.cancel)
def _work(name: str, pixels: bytes, _steps: Callable[[], Generator[Attribution]]) -> Worker[Attribution]:
    return begun(_steps())


def _map(at: Look, attribution: Attribution, name: str, choice: _Choice, limit: float | None) -> None:
    grey = at.picked.pixels[0].float().mean(0).numpy()  # (C, H, W) → (H, W)
    values = attribution.values.numpy()
    show_figure(
        charts.overlay(grey, values, METHODS[choice.method].signed, choice.on_image, limit),
        name,
        f"{name}: how much each pixel of the image speaks for the class",
        lambda: tidy(values, "row", "column"),
        sentence(attribution.note),
    )
