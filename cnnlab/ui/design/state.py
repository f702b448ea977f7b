"""What a session designs: the network with its undo steps, the layer that is picked, the images it is for."""

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
from cnnlab.networks.presets import PRESETS
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

PLACE = "design"  # where it is told what the last action came to

BEGINNING: Place = (-1,)  # the image: what is added goes before the first layer


@dataclass(frozen=True)
class Images:
    """What a network is designed for."""

    shape: Shape
    classes: int
    dataset: str  # empty where there is none
    count: int  # training images; 0 where there is no data set
    batch_size: int


def draft() -> Draft:
    """The network as it is now; the address's at first, else the default."""
    if own_design() is None:
        _keep(UndoStack(write_design(_first())))
    return parsed(_history().present)


def _first() -> Draft:
    word = DESIGN.value()
    try:
        return from_link(word) if word else copy_of(RunConfig().architecture)
    except DesignError as error:
        st.toast(f"The design in the address cannot be read: {literal(str(error))}.", icon=":material/link_off:")
        return copy_of(RunConfig().architecture)


def copy_of(known: Draft) -> Draft:
    """One's own version of a network that comes with the app; any other stays as it is."""
    if known.name not in PRESETS:
        return known
    return known.model_copy(update={"name": f"my-{known.name}"[:60], "title": f"My {known.title}"[:80]})


def put_into_address() -> None:
    """So that a reload, or whoever gets the link, has the same design."""
    word = to_link(draft())
    if word and DESIGN.value() != word:
        DESIGN.put(word)


def begin(new: Draft) -> None:
    """Design ``new`` from now on; what was designed before can be had back by undo."""
    change(new)
    pick(BEGINNING)


def change(new: Draft) -> None:
    """One step of editing."""
    _keep(_history().edited(write_design(new)))


def _history() -> UndoStack:
    history = design_history()
    assert history is not None  # draft() begins it
    return history


def _keep(history: UndoStack) -> None:
    keep_design_history(history)
    DESIGN_REFUSAL.drop()


def can_undo() -> bool:
    """Whether there is a version to go back to."""
    return bool(_history().past)


def can_redo() -> bool:
    """Whether there is a version to go forward to."""
    return bool(_history().future)


def undo() -> None:
    """Go back to the version before."""
    _keep(_history().undone())
    refill_form()


def redo() -> None:
    """Take an undo back."""
    _keep(_history().redone())
    refill_form()


def picked() -> Place:
    """The layer that is picked; BEGINNING where it is not there any more. A branch's beginning ends in −1."""
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
    """Show the layer at ``place`` in the form; what is added goes behind it."""
    DESIGN_PICKED.put(list(place))
    refill_form()


def refill_form() -> None:
    """The layer's form takes its values from the design again."""
    DESIGN_VERSION.put(version() + 1)


def version() -> int:
    """Counts whenever the layer's form is to begin anew; part of its widgets' keys."""
    return DESIGN_VERSION.get()


def note_drawn() -> None:
    """The page shows the widgets of this version from now on."""
    DESIGN_DRAWN.put(version())


def on_change(action: Callable[..., None], *args: object) -> dict[str, Any]:
    """What a widget whose key holds the version is given to have ``action`` done when it changes."""
    return {"on_change": _answer, "args": [version(), action, *args]}


def _answer(drawn: int, action: Callable[..., None], *args: object) -> None:
    """Browsers send once more what widgets said that are gone by now: that counts only once."""
    if drawn == DESIGN_DRAWN.get():
        action(*args)


def refusal() -> str:
    """Why the last edit could not be; empty where it could."""
    return DESIGN_REFUSAL.get()


def add(layer: Layer) -> None:
    """Behind the picked one, and pick it."""
    target = editing.behind(picked())
    if _edited(lambda layers: editing.inserted(layers, target, layer)):
        pick(target)


def act(what: str, place: Place, target: Place | None = None) -> None:
    """Pick, remove, duplicate or move the layer at ``place``, or undo; what else is asked is ignored."""
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
    """What comes next is picked then, as one goes on removing."""
    if not _edited(lambda layers: editing.removed(layers, place)):
        return
    pick(place)
    if picked() != place:
        pick((*place[:-1], place[-1] - 1))


def _move(place: Place, target: Place) -> None:
    if _edited(lambda layers: editing.moved(layers, place, target)):
        pick(editing.landed(place, target))


def change_layer(place: Place, change: Callable[[Layer], Layer]) -> None:
    """The layer at ``place`` becomes what ``change`` makes of it."""
    _edited(lambda layers: editing.replaced(layers, place, change(editing.layer_at(layers, place))))


def _edited(edit: Callable[[Chain], Chain]) -> bool:
    """Whether the edit could be; where not, ``refusal`` says why."""
    now = draft()
    try:
        change(now.model_copy(update={"layers": edit(now.layers)}))
    except (EditError, ValidationError) as error:
        DESIGN_REFUSAL.put(first_error(error) if isinstance(error, ValidationError) else str(error))
        refill_form()
        return False
    return True


def images() -> Images:
    """The images that the page's fields ask for."""
    name, batch = DESIGN_DATASET.get() or RunConfig().dataset, DESIGN_BATCH.get() or RunConfig().batch_size
    if name == OWN_SIZE:
        shape = tuple(design_size(axis).get() for axis in ("channels", "height", "width"))
        return Images(shape, DESIGN_CLASSES.get(), "", 0, batch)
    spec = DATASETS[name]
    return Images(spec.shape, len(spec.classes), name, spec.sizes[0], batch)
