"""Chapter: the training step, in slow motion, and how optimisers come down a loss."""

from __future__ import annotations

from importlib import import_module

from cnnlab.ui.learn.choice import choose

PARTS = {  # module beside this one: title
    "slow_motion": "One step in slow motion",
    "surface": "Optimisers on a loss surface",
}


def show() -> None:
    """The part that is chosen; the address names it."""
    import_module(f"cnnlab.ui.learn.step.{choose('part', 'Part', PARTS)}").show()
