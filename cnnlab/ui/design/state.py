"""The session's design: the network with its undo history, the picked layer, the images it is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st
from pydantic import ValidationError

from cnnlab.data.datasets import DATASETS
from cnnlab.errors import first_error
from cnnlab.networks import edit as editing
from cnnlab.networks.architecture import Draft, Place
from cnnlab.networks.designs import DesignError, from_link, to_link, write_design
from cnnlab.networks.edit import EditError, UndoStack
from cnnlab.networks.layers import Chain, Layer, Shape
from cnnlab.pretrained.table import NETWORKS
from cnnlab.training.config import RunConfig
from cnnlab.ui.shell.address import DESIGN
from cnnlab.ui.shell.literal import literal
from cnnlab.ui.shell.state import (
    DESIGN_BATCH,
    DESIGN_CLASSES,
    DESIGN_DATASET,
    DESIGN_DRAWN,
    DESIGN_PICKED,
    DESIGN_REFUSAL,
    DESIGN_VERSION,
    design_history,
    design_size,
    keep_design_history,
    own_design,
    parsed,
)

OWN_SIZE = "own"  # instead of a data set

PLACE = "design"  # where the result of the last action is shown

BEGINNING: Place = (-1,)  # the image: new layers are added before the first one


@dataclass(frozen=True)
class Images:
    """The images that a network is designed for."""

    shape: Shape
    classes: int
    dataset: str  # empty where there is none
    count: int  # training images; 0 where there is no data set
    batch_size: int


def draft() -> Draft:
    """Return the current network; at first the one from the URL, else the default."""
    if own_design() is None:
        _keep(UndoStack(write_design(_first())))
    return parsed(_history().present)


def _first() -> Draft:
    word = DESIGN.value()
    try:
        return from_link(word) if word else copy_of(RunConfig().architecture)
    except DesignError as error:
        st.toast(f"The design in this link cannot be read: {literal(str(error))}.", icon=":material/link_off:")
        return copy_of(RunConfig().architecture)


def copy_of(known: Draft) -> Draft:
    """Copy a network that comes with the app under a name of one's own; return any other unchanged."""
    if known.name not in NETWORKS:
        return known
    return known.model_copy(update={"name": f"my-{known.name}"[:60], "title": f"My {known.title}"[:80]})


def put_into_address() -> None:
    """Write the design into the URL, for reloads and links."""
    word = to_link(draft())
    if word and DESIGN.value() != word:
        DESIGN.put(word)


def begin(new: Draft) -> None:
    """Replace the design by ``new``; undo restores the previous one."""
    change(new)
    pick(BEGINNING)


def change(new: Draft) -> None:
    """Apply an edit as one undo step."""
    _keep(_history().edited(write_design(new)))


def _history() -> UndoStack:
    history = design_history()
    assert history is not None  # draft() creates it
    return history


def _keep(history: UndoStack) -> None:
    keep_design_history(history)
    DESIGN_REFUSAL.drop()


def can_undo() -> bool:
    """Check whether there is an earlier version."""
    return bool(_history().past)


def can_redo() -> bool:
    """Check whether there is a later version."""
    return bool(_history().future)


def undo() -> None:
    """Restore the previous version."""
    _keep(_history().undone())
    refill_form()


def redo() -> None:
    """Reverse an undo."""
    _keep(_history().redone())
    refill_form()


def picked() -> Place:
    """Return the picked layer's place; BEGINNING where it no longer exists. The start of a branch ends in −1."""
    place: Place = tuple(DESIGN_PICKED.get())
    if place == BEGINNING:
        return place
    try:
        if place[-1] >= 0:
            editing.layer_at(draft().layers, place)
        elif len(place) < 3 or place[-2] >= len(editing.layer_at(draft().layers, place[:-2]).chains):
            return BEGINNING
    except EditError:
        return BEGINNING
    return place


def pick(place: Place) -> None:
    """Show the layer at ``place`` in the form; new layers are added after it."""
    DESIGN_PICKED.put(list(place))
    refill_form()


def refill_form() -> None:
    """Reset the fields of the layer's form to the design's values."""
    DESIGN_VERSION.put(version() + 1)


def version() -> int:
    """Return the version number in the form's widget keys; it grows whenever the form is reset."""
    return DESIGN_VERSION.get()


def note_drawn() -> None:
    """Record that the page shows the widgets of this version."""
    DESIGN_DRAWN.put(version())


def on_change(action: Callable[..., None], *args: object) -> dict[str, Any]:
    """Return the arguments that make a widget call ``action`` on change; its key must contain the version."""
    return {"on_change": _answer, "args": [version(), action, *args]}


def _answer(drawn: int, action: Callable[..., None], *args: object) -> None:
    """Run ``action`` once: browsers send the value of a removed widget a second time."""
    if drawn == DESIGN_DRAWN.get():
        action(*args)


def refusal() -> str:
    """Return why the last edit failed; empty where it did not."""
    return DESIGN_REFUSAL.get()


def add(layer: Layer) -> None:
    """Add a layer after the picked one, and pick it."""
    target = editing.behind(picked())
    if _edited(lambda layers: editing.inserted(layers, target, layer)):
        pick(target)


def act(what: str, place: Place, target: Place | None = None) -> None:
    """Pick, remove, duplicate or move the layer at ``place``, or undo; ignore any other ``what``."""
    match what:
        case "pick":
            pick(place)
        case "remove":
            _remove(place)
        case "duplicate":
            if _edited(lambda layers: editing.duplicated(layers, place)):
                pick(editing.behind(place))
        case "up" if place[-1] > 0:
            _move(place, (*place[:-1], place[-1] - 1))
        case "down":
            _move(place, (*place[:-1], place[-1] + 2))
        case "move" if target is not None:
            _move(place, target)
        case "undo":
            undo()
        case "redo":
            redo()


def _remove(place: Place) -> None:
    """Remove the layer and pick the next one, for repeated removal."""
    if not _edited(lambda layers: editing.removed(layers, place)):
        return
    pick(place)
    if picked() != place:
        pick((*place[:-1], place[-1] - 1))


def _move(place: Place, target: Place) -> None:
    if _edited(lambda layers: editing.moved(layers, place, target)):
        pick(editing.landed(place, target))


def change_layer(place: Place, change: Callable[[Layer], Layer]) -> None:
    """Replace the layer at ``place`` by the result of ``change``."""
    _edited(lambda layers: editing.replaced(layers, place, change(editing.layer_at(layers, place))))


def _edited(edit: Callable[[Chain], Chain]) -> bool:
    """Apply an edit; return False, with the reason for ``refusal``, where it fails."""
    now = draft()
    try:
        change(now.model_copy(update={"layers": edit(now.layers)}))
    except (EditError, ValidationError) as error:
        DESIGN_REFUSAL.put(first_error(error) if isinstance(error, ValidationError) else str(error))
        refill_form()
        return False
    return True


def images() -> Images:
    """Return the images chosen in the page's fields."""
    name, batch = DESIGN_DATASET.get() or RunConfig().dataset, DESIGN_BATCH.get() or RunConfig().batch_size
    if name == OWN_SIZE:
        shape = tuple(design_size(axis).get() for axis in ("channels", "height", "width"))
        return Images(shape, DESIGN_CLASSES.get(), "", 0, batch)
    spec = DATASETS[name]
    return Images(spec.shape, len(spec.classes), name, spec.sizes[0], batch)
