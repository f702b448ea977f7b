"""Answers while the pen moves: the chosen networks run in the browser, too, in the engine that exported pages have."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from cnnlab.drawings.strokes import CANVAS, Drawing
from cnnlab.errors import CnnLabError
from cnnlab.export.portable import ExportError, Portable
from cnnlab.export.web.bundle import bundle
from cnnlab.export.web.kernel import kernel
from cnnlab.export.web.page import ANSWERS, MAPS, PERCENT, source
from cnnlab.people.rights import Action
from cnnlab.runs.entry import Entry
from cnnlab.runs.run import Run
from cnnlab.ui.shell import person, session
from cnnlab.ui.shell.networks import KEPT
from cnnlab.ui.shell.state import CANVAS_PEN, PEN_ANSWERS, PEN_ENGINE, PEN_MAPS
from cnnlab.ui.views.cached import training_features

_HERE = Path(__file__).parent
_engine = st.components.v2.component(
    "cnnlab_pen_engine",
    html="<div></div>",
    js="\n".join([*map(source, (*ANSWERS, MAPS)), (_HERE / "pen_engine.js").read_text(encoding="utf-8")]),
)
_answers = st.components.v2.component(
    "cnnlab_pen_answers",
    html='<div class="pen"></div>',
    css=(_HERE / "pen_answers.css").read_text(encoding="utf-8"),
    js="\n".join([source(PERCENT), (_HERE / "pen_answers.js").read_text(encoding="utf-8")]),
)
_maps = st.components.v2.component(
    "cnnlab_pen_maps",
    html='<div class="pen-maps"></div>',
    css=(_HERE / "pen_maps.css").read_text(encoding="utf-8"),
    js="\n".join([source(MAPS), (_HERE / "pen_maps.js").read_text(encoding="utf-8")]),
)


def pen_engine(named: Mapping[str, Entry]) -> None:
    """Send the networks of the runs ``named`` to the browser; it is large, so not in what each stroke redraws."""
    networks = {name: packed for entry in named.values() if (name := _name(entry)) and (packed := _packed(entry))}
    _engine(data={"networks": networks, "kernel": b64encode(kernel()).decode()}, key=PEN_ENGINE.name)


def pen_answers(named: Mapping[str, Entry], drawing: Drawing | None) -> None:
    """Show what the networks that ``pen_engine`` sent make of the drawing and of what is added to it."""
    ready = {title: name for title, entry in named.items() if (name := _name(entry)) and _packed(entry)}
    if not ready:
        return
    networks = [{"name": name, "title": title if len(named) > 1 else ""} for title, name in ready.items()]
    data = {
        "networks": networks,
        "strokes": drawing.strokes if drawing else [],
        "pen": drawing.pen if drawing else 0,
        "nextPen": CANVAS_PEN.get() / CANVAS,
    }
    _answers(data=data, key=PEN_ANSWERS.name)


def pen_maps() -> None:
    """Show the feature maps of the network that answered last, while the pen moves."""
    _maps(key=PEN_MAPS.name)


def _name(entry: Entry) -> str:
    """Return a name of the network's weights; empty while they still learn."""
    return "" if session.is_training(entry.id) else f"{entry.id}.{entry.summary.epoch}"


def _packed(entry: Entry) -> dict[str, Any] | None:
    if not person.may(Action.EXPORT, entry):  # the browser gets the weights
        return None
    try:
        return _packed_network(str(entry.run.folder), entry.summary.epoch, entry.run)
    except CnnLabError:  # which the server's answer tells
        return None


@st.cache_resource(max_entries=KEPT, show_spinner="Packing the network for the browser")
def _packed_network(folder: str, epoch: int, _run: Run) -> dict[str, Any] | None:
    """Return the network as the engine takes it; None where it cannot: then only the server answers."""
    try:
        return bundle(Portable.of(_run, _run.title, epoch, training_features(_run, epoch)), "float16")
    except (ExportError, TypeError):
        return None
