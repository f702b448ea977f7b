"""Editing a layer list: each edit takes layers and a place and gives new layers; nothing is changed in place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import ValidationError

from cnnlab.errors import CnnLabError, first_error
from cnnlab.networks.architecture import MAX_LAYERS, Place
from cnnlab.networks.layers import KINDS, Chain, Layer

MAX_UNDO = 200  # edits


class EditError(CnnLabError, ValueError):
    """An edit that cannot be; the message says why."""


def addable_layers() -> dict[str, Layer]:
    """Return every layer that can be added, set as it is added, by its label on Design."""
    return {
        label: kind.model_validate(settings) for kind in KINDS.values() for label, settings in kind.examples.items()
    }


def layer_at(layers: Chain, place: Place) -> Layer:
    """Raises EditError where there is none."""
    index, *within = place
    if not 0 <= index < len(layers):
        raise EditError("there is no layer at this place")
    if not within:
        return layers[index]
    chains = list(layers[index].chains.values())
    if len(within) < 2 or not 0 <= within[0] < len(chains):
        raise EditError("there is no layer at this place")
    return layer_at(chains[within[0]], tuple(within[1:]))


def inserted(layers: Chain, place: Place, layer: Layer) -> Chain:
    """With ``layer`` at ``place``, before what is there. Raises EditError where a block or the list is full."""
    new = _edited(layers, place, lambda chain, at: (*chain[:at], layer, *chain[at:]))
    if len(new) > MAX_LAYERS:
        raise EditError(f"a network has {MAX_LAYERS} layers at most")
    return new


def removed(layers: Chain, place: Place) -> Chain:
    """Without the layer at ``place``. Raises EditError where a block would be left without layers."""
    layer_at(layers, place)
    block = layer_at(layers, place[:-2]) if len(place) > 1 else None
    if block and block.needs_layers and len(list(block.chains.values())[place[-2]]) == 1:
        raise EditError(f"a {block.title} needs a layer in its body: remove the block instead")
    return _edited(layers, place, lambda chain, at: (*chain[:at], *chain[at + 1 :]))


def replaced(layers: Chain, place: Place, layer: Layer) -> Chain:
    """With ``layer`` in the place of what is there. Raises EditError where a block cannot hold it."""
    layer_at(layers, place)
    return _edited(layers, place, lambda chain, at: (*chain[:at], layer, *chain[at + 1 :]))


def duplicated(layers: Chain, place: Place) -> Chain:
    """With the layer at ``place`` twice, its double unnamed. Raises EditError as ``inserted``."""
    return inserted(layers, behind(place), layer_at(layers, place).model_copy(update={"name": None}))


def moved(layers: Chain, place: Place, target: Place) -> Chain:
    """With the layer at ``place`` before what now is at ``target``, also into or out of a block's chain.

    Raises EditError where it would have to go into itself, or a block cannot be without or with it.
    """
    layer = layer_at(layers, place)
    if target[: len(place)] == place and len(target) > len(place):
        raise EditError("a block cannot go into itself")
    with_both = inserted(layers, target, layer)
    return removed(with_both, _shifted(place, target))


def landed(place: Place, target: Place) -> Place:
    """Where the layer of ``place`` is after ``moved`` to ``target``."""
    depth = len(place) - 1
    if len(target) > depth and target[:depth] == place[:depth] and place[depth] < target[depth]:
        return (*target[:depth], target[depth] - 1, *target[depth + 1 :])
    return target


def _shifted(place: Place, target: Place) -> Place:
    """Where the layer of ``place`` is once one more was put in at ``target``."""
    depth = len(target) - 1
    if len(place) > depth and place[:depth] == target[:depth] and place[depth] >= target[depth]:
        return (*place[:depth], place[depth] + 1, *place[depth + 1 :])
    return place


def behind(place: Place) -> Place:
    """The place after ``place`` in the same chain."""
    return (*place[:-1], place[-1] + 1)


def _edited(layers: Chain, place: Place, edit: Callable[[Chain, int], Chain]) -> Chain:
    """``edit`` applied to the chain that ``place`` is in, and to the place's number in that chain."""
    index, *within = place
    if not within:
        return edit(layers, index)
    block = layer_at(layers, (index,))
    chains = list(block.chains.values())
    if len(within) < 2 or not 0 <= within[0] < len(chains):
        raise EditError("there is no branch at this place")
    chains[within[0]] = _edited(chains[within[0]], tuple(within[1:]), edit)
    try:
        new = block.with_chains(chains)
    except ValidationError as error:
        raise EditError(first_error(error).partition(": ")[2] or first_error(error)) from error
    return (*layers[:index], new, *layers[index + 1 :])


@dataclass(frozen=True)
class UndoStack:
    """Versions of a text, the one that is shown and those to go back and forward to."""

    present: str
    past: tuple[str, ...] = ()
    future: tuple[str, ...] = ()

    def edited(self, present: str) -> UndoStack:
        """With a new version; what was undone is given up."""
        if present == self.present:
            return self
        return UndoStack(present, (*self.past, self.present)[-MAX_UNDO:])

    def undone(self) -> UndoStack:
        """One version back; itself where there is none."""
        return UndoStack(self.past[-1], self.past[:-1], (self.present, *self.future)) if self.past else self

    def redone(self) -> UndoStack:
        """One version forward; itself where there is none."""
        return UndoStack(self.future[0], (*self.past, self.present), self.future[1:]) if self.future else self
