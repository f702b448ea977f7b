"""Edits of a layer list: each takes layers and a place and returns new layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import ValidationError

from cnnlab.errors import CnnLabError, first_error
from cnnlab.networks.architecture import MAX_LAYERS, Place
from cnnlab.networks.layers import KINDS, Chain, Layer

MAX_UNDO = 200  # edits


class EditError(CnnLabError, ValueError):
    """Report an edit that is impossible; the message says why."""


def addable_layers() -> dict[str, Layer]:
    """Return every layer that can be added, set as it is added, by its label on Design."""
    return {
        label: kind.model_validate(settings) for kind in KINDS.values() for label, settings in kind.examples.items()
    }


def layer_at(layers: Chain, place: Place) -> Layer:
    """Return the layer at ``place``. Raises EditError if there is none."""
    index, *within = place
    if not 0 <= index < len(layers):
        raise EditError("there is no layer at this position")
    if not within:
        return layers[index]
    chains = list(layers[index].chains.values())
    if len(within) < 2 or not 0 <= within[0] < len(chains):
        raise EditError("there is no layer at this position")
    return layer_at(chains[within[0]], tuple(within[1:]))


def inserted(layers: Chain, place: Place, layer: Layer) -> Chain:
    """Insert ``layer`` before the one at ``place``. Raises EditError if a block or the list is full."""
    new = _edited(layers, place, lambda chain, at: (*chain[:at], layer, *chain[at:]))
    if len(new) > MAX_LAYERS:
        raise EditError(f"a network has {MAX_LAYERS} layers at most")
    return new


def removed(layers: Chain, place: Place) -> Chain:
    """Remove the layer at ``place``. Raises EditError if there is none or it is the only one its block needs."""
    layer_at(layers, place)
    block = layer_at(layers, place[:-2]) if len(place) > 1 else None
    if block and block.needs_layers and len(list(block.chains.values())[place[-2]]) == 1:
        raise EditError(f"a {block.title} needs a layer in its body: remove the block instead")
    return _edited(layers, place, lambda chain, at: (*chain[:at], *chain[at + 1 :]))


def replaced(layers: Chain, place: Place, layer: Layer) -> Chain:
    """Replace the layer at ``place``. Raises EditError if there is none or a block cannot hold ``layer``."""
    layer_at(layers, place)
    return _edited(layers, place, lambda chain, at: (*chain[:at], layer, *chain[at + 1 :]))


def duplicated(layers: Chain, place: Place) -> Chain:
    """Insert an unnamed copy after the layer at ``place``. Raises EditError as ``inserted`` does."""
    return inserted(layers, behind(place), layer_at(layers, place).model_copy(update={"name": None}))


def moved(layers: Chain, place: Place, target: Place) -> Chain:
    """Move the layer at ``place`` before the one at ``target``, also into or out of a block's chain.

    Raises EditError if it would go into itself, or a block needs it or cannot hold it.
    """
    layer = layer_at(layers, place)
    if target[: len(place)] == place and len(target) > len(place):
        raise EditError("a block cannot go into itself")
    with_copy = inserted(layers, target, layer)
    return removed(with_copy, _shifted(place, target))


def mapped(layers: Chain, change: Callable[[Layer], Layer]) -> Chain:
    """Apply ``change`` to every layer, within blocks too; blocks themselves stay."""
    return tuple(
        layer.with_chains([mapped(chain, change) for chain in layer.chains.values()]) if layer.chains else change(layer)
        for layer in layers
    )


def landed(place: Place, target: Place) -> Place:
    """Return the place of the layer of ``place`` after ``moved`` to ``target``."""
    depth = len(place) - 1
    if len(target) > depth and target[:depth] == place[:depth] and place[depth] < target[depth]:
        return (*target[:depth], target[depth] - 1, *target[depth + 1 :])
    return target


def _shifted(place: Place, target: Place) -> Place:
    """Return the place of the layer of ``place`` after an insertion at ``target``."""
    depth = len(target) - 1
    if len(place) > depth and place[:depth] == target[:depth] and place[depth] >= target[depth]:
        return (*place[:depth], place[depth] + 1, *place[depth + 1 :])
    return place


def behind(place: Place) -> Place:
    """Return the next place in the same chain."""
    return (*place[:-1], place[-1] + 1)


def _edited(layers: Chain, place: Place, edit: Callable[[Chain, int], Chain]) -> Chain:
    """Apply ``edit`` to the chain of ``place`` and its index there. Raises EditError if there is no such chain."""
    index, *within = place
    if not within:
        return edit(layers, index)
    block = layer_at(layers, (index,))
    chains = list(block.chains.values())
    if len(within) < 2 or not 0 <= within[0] < len(chains):
        raise EditError("there is no branch at this position")
    chains[within[0]] = _edited(chains[within[0]], tuple(within[1:]), edit)
    try:
        new = block.with_chains(chains)
    except ValidationError as error:
        raise EditError(first_error(error).partition(": ")[2] or first_error(error)) from error
    return (*layers[:index], new, *layers[index + 1 :])


@dataclass(frozen=True)
class UndoStack:
    """Hold versions of a text: the present one and those to undo and redo to."""

    present: str
    past: tuple[str, ...] = ()
    future: tuple[str, ...] = ()

    def edited(self, present: str) -> UndoStack:
        """Return a stack with a new present version and nothing to redo."""
        if present == self.present:
            return self
        return UndoStack(present, (*self.past, self.present)[-MAX_UNDO:])

    def undone(self) -> UndoStack:
        """Return the stack one version back, or itself if there is none."""
        return UndoStack(self.past[-1], self.past[:-1], (self.present, *self.future)) if self.past else self

    def redone(self) -> UndoStack:
        """Return the stack one version forward, or itself if there is none."""
        return UndoStack(self.future[0], (*self.past, self.present), self.future[1:]) if self.future else self
