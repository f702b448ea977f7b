"""Small images in a row, each with a network's answer, its probability and, where that is wrong, the true class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from cnnlab.ui.widgets.component_files import joined

_component = st.components.v2.component(
    "cnnlab_answer_tiles",
    html='<ul class="tiles"></ul>',
    css=joined("answer_tiles.css"),
    js=joined("answer_tiles.js"),
)


@dataclass(frozen=True)
class Tile:
    """An image, its class, and what a network says: None where it has not been asked yet."""

    image: str  # URL
    truth: str
    answer: str | None = None
    share: float = 0.0  # the answer's probability
    told: str = ""  # the same, in words


def answer_tiles(tiles: Sequence[Tile], key: str, label: str) -> None:
    """Show the tiles, eight in a row or four on a phone; they change in place."""
    _component(data={"tiles": [asdict(tile) for tile in tiles], "label": label}, key=key)
