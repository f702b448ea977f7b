"""The traps of Learn, in their order. Add one: a module beside these, and its TRAP here."""

from __future__ import annotations

from cnnlab.learn.traps import (
    choosing,
    counting,
    flattening,
    gradients,
    labels,
    mode,
    order,
    overfitting,
    rate,
    scaling,
    softmax,
)
from cnnlab.learn.traps.pictures import Picture
from cnnlab.learn.traps.trap import Finding, Measured, Trap

_TRAPS = [
    module.TRAP
    for module in (
        scaling,
        flattening,
        mode,
        softmax,
        counting,
        labels,
        rate,
        choosing,
        overfitting,
        gradients,
        order,
    )
]
TRAPS: dict[str, Trap] = {trap.slug: trap for trap in _TRAPS}

__all__ = ["TRAPS", "Finding", "Measured", "Picture", "Trap"]
