"""Chapter: a training step in slow motion, and how optimisers minimise a loss."""

from __future__ import annotations

from cnnlab.ui.learn.choice import choose
from cnnlab.ui.learn.step import slow_motion, surface

PARTS = {  # by their names in the URL: title, function that shows it
    "slow_motion": ("One step in slow motion", slow_motion.show),
    "surface": ("Optimisers on a loss surface", surface.show),
}


def show() -> None:
    """Show the chosen part; it is part of the URL."""
    _, draw = PARTS[choose("part", "Part", {name: title for name, (title, _) in PARTS.items()})]
    draw()
