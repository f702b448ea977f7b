"""The first thing in which a run is not what its training gives: epoch, figure, what it says, what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from cnnlab.errors import CnnLabError
from cnnlab.training import events

TIMES = {"seconds", "images_per_second"}  # what the clock decides


@dataclass(frozen=True)
class Difference:
    """What a run says of a figure after an epoch, 0 before its training, and what was found."""

    epoch: int
    figure: str
    told: object
    found: object

    def __str__(self) -> str:
        return f"epoch {self.epoch}, {self.figure}: the run says {self.told}, found {self.found}"


class DiffersError(CnnLabError):
    """A run that is not what its training gives."""

    def __init__(self, epoch: int, figure: str, told: object, found: object) -> None:
        self.difference = Difference(epoch, figure, told, found)
        super().__init__(str(self.difference))


def compare(epoch: int, figure: str, told: object, found: object) -> None:
    """Raise DiffersError where a figure is not equal; what is not a number equals none."""
    if told != found:
        raise DiffersError(epoch, figure, told, found)


def compare_records(epoch: int, told: events.Record | None, found: events.Record) -> None:
    """Compare all figures of a line of the history but times and speeds."""
    what = f"{found.kind} {found.step}"
    if told is None:
        raise DiffersError(epoch, what, "nothing", "a line of its history")
    for field in fields(found):
        if field.name not in TIMES:
            compare(epoch, f"{field.name} ({what})", getattr(told, field.name), getattr(found, field.name))


def compare_tensors(epoch: int, what: str, told: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    """Compare names, shapes, types and every bit of tensors, whose names are told with ``what``."""
    compare(epoch, f"names of {what}", sorted(told), sorted(found))
    for name, own in found.items():
        figure = f"{what} {name}"
        one, other = (tensor.detach().cpu().contiguous() for tensor in (told[name], own))
        compare(epoch, f"type of {figure}", (one.dtype, *one.shape), (other.dtype, *other.shape))
        if (at := _first_other(one, other)) is not None:
            raise DiffersError(
                epoch, f"{figure}, value {at + 1} of {one.numel()}", *(t.flatten()[at].item() for t in (one, other))
            )


def _first_other(one: Tensor, other: Tensor) -> int | None:
    """Return the place of the first value with other bits; None where all are the same."""
    bits, others = (tensor.view(-1).view(torch.uint8) for tensor in (one, other))
    if torch.equal(bits, others):
        return None
    return int((bits != others).nonzero()[0]) // one.element_size()
