"""A strip of columns, one a layer, with the maps that an image makes there; a click on a map tells which it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import streamlit as st

from cnnlab.charts.classes import LEAST_TOLD
from cnnlab.text import one_line, percent

ROWS = 6  # maps of a column
MOST_CLASSES = 10  # of the answer, the likeliest

_HERE = Path(__file__)
_component = st.components.v2.component(
    "cnnlab_layer_strip",
    html='<div class="strip"><div class="strip-frame"></div></div>',
    css=_HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=_HERE.with_suffix(".js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Column:
    """A layer: its header, one picture of all its tiles, and what they are made of."""

    name: str  # "" is the image
    title: str
    kind: str
    shape: str
    colour: str  # of the header, #rrggbb
    picture: str  # URL of the tiles, one below the other
    labels: tuple[str, ...]  # of the tiles
    units: tuple[int, ...] = ()  # the maps' numbers; none where the one tile is the whole layer
    shows: Literal["maps", "tall", "image"] = "maps"
    more: str = ""  # below the tiles
    source: str | None = None  # name of the column that feeds this one, where there is one
    within: str = ""  # the block that it lies in
    keeps: bool = False  # whether a tile is made of the tile beside it alone
    reach: tuple[tuple[float, ...], ...] | None = None  # for each tile, how much it reads of each of the source's


@dataclass(frozen=True)
class Answer:
    """The class probabilities at the strip's end."""

    classes: Sequence[str]
    probabilities: Sequence[float]
    title: str
    details: Sequence[str] = ()

    def data(self) -> dict[str, Any]:
        """Return the data for the browser: the likeliest classes in their own order."""
        likeliest = np.sort(np.argsort(self.probabilities)[::-1][:MOST_CLASSES]).tolist()
        best = int(np.argmax(self.probabilities))
        rows = [
            {
                "name": one_line(self.classes[label]),
                "share": self.probabilities[label],
                "told": percent(self.probabilities[label]) if self.probabilities[label] >= LEAST_TOLD else "",
                "best": label == best,
            }
            for label in likeliest
        ]
        told = ", ".join(f"{row['name']} {row['told']}" for row in rows if row["told"])
        return {"title": self.title, "details": list(self.details), "rows": rows, "alt": f"{self.title}: {told}"}


def layer_strip(
    columns: Sequence[Column],
    answer: Answer | None,
    key: str,
    alt: str,
    opened: str = "",
    doubtful: bool = False,
    on_click: Callable[[], None] = lambda: None,
) -> None:
    """Show the strip; the tile ``opened`` is outlined, and a ``doubtful`` answer is grey.

    ``on_click`` is called before the page is redrawn, with the tile in the session state under ``key``: its column's
    name, a slash, and its unit where it has one.
    """
    data = {
        "columns": [asdict(column) for column in columns],
        "answer": answer.data() if answer else None,
        "alt": alt,
        "rows": ROWS,
        "opened": opened,
        "doubtful": doubtful,
    }
    _component(data=data, key=key, on_clicked_change=on_click)
