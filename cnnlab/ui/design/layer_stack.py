"""The layer list of the editor: every layer with its output, its cost and its errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from cnnlab.networks.architecture import LayerSummary, Place
from cnnlab.networks.diagram import COLOURS
from cnnlab.networks.edit import behind
from cnnlab.networks.layers import shown
from cnnlab.quantities import counted, duration, size
from cnnlab.ui.design import state
from cnnlab.ui.design.state import BEGINNING, Images
from cnnlab.ui.shell.state import DESIGN_STACK

COLUMNS = ("Layer", "Output", "Params", "MACs", "Memory", "Field", "Time")
_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "cnnlab_layer_stack",
    html='<div class="stack"><div class="stack-list" role="listbox" tabindex="0" aria-label="Layers"></div></div>',
    css=(_HERE / "layer_stack.css").read_text(encoding="utf-8"),
    js=(_HERE / "layer_stack.js").read_text(encoding="utf-8"),
)


def layer_stack(
    rows: Sequence[LayerSummary],
    hints: Mapping[Place, Sequence[str]],
    seconds: Mapping[Place, float],  # of an epoch, where known
    images: Images,
    picked: Place,
) -> None:
    """Show the list; apply its clicks and input to the design before the page is drawn again."""
    listing = _Listing(rows, hints, seconds, images)
    data = {"rows": list(listing.lines()), "columns": COLUMNS, "picked": _text(picked)}
    _component(data=data, key=DESIGN_STACK.name, on_action_change=_act)


def _act() -> None:
    # What the browser sends as its page is left arrives when the component's state is gone.
    action = getattr(DESIGN_STACK.get(), "action", None)
    if not isinstance(action, dict):
        return
    target = action.get("target")
    state.act(str(action.get("what")), place_of(action.get("place")), None if target is None else place_of(target))


def _text(place: Place) -> str:
    return ".".join(map(str, place))


def place_of(text: object) -> Place:
    """Parse a place sent by the browser; invalid text gives the start of the network."""
    try:
        return tuple(int(part) for part in str(text).split(".")) or BEGINNING
    except ValueError:
        return BEGINNING


class _Listing:
    """Rows as the browser shows them, with headers for the image and for each branch."""

    def __init__(
        self,
        rows: Sequence[LayerSummary],
        hints: Mapping[Place, Sequence[str]],
        seconds: Mapping[Place, float],
        images: Images,
    ) -> None:
        self.rows, self.hints, self.seconds, self.images = rows, hints, seconds, images
        top = [row for row in rows if len(row.place) == 1]
        self.parameters = sum(row.parameters for row in top) or 1
        self.macs = sum(row.macs for row in top) or 1
        self.kept = sum(row.activation_bytes for row in top) or 1
        self.time = sum(seconds.values()) or 1.0

    def lines(self) -> Iterator[dict[str, Any]]:
        count = f"{self.images.count:,} an epoch" if self.images.count else ""
        yield _header(BEGINNING, "images", shown(self.images.shape), count)
        yield from self._chain(())

    def _chain(self, within: Place) -> Iterator[dict[str, Any]]:
        """List the layers of one chain, each with the chains inside it."""
        for row in self.rows:
            if row.place[:-1] != within:
                continue
            yield self._line(row)
            own = list(row.layer.chains)
            for number, name in enumerate(own):
                yield _header((*row.place, number, -1), f"{row.name}.{name}", "", "starts with the block's input")
                yield from self._chain((*row.place, number))
            yield from self._chain((*row.place, len(own)))  # chains of the block itself: one at most

    def _line(self, row: LayerSummary) -> dict[str, Any]:
        classes = self.images.classes
        is_known = bool(row.output_shape)
        return {
            "place": _text(row.place),
            "before": _text(row.place),
            "after": _text(behind(row.place)),
            "own": row.is_own,
            "pickable": row.is_own,
            "depth": len(row.place) // 2,
            "name": row.name,
            "call": _call(row, classes),
            "shape": shown(row.output_shape) if is_known else "",
            "formula": row.layer.shape_formula(row.input_shape, classes) if is_known else "",
            "problem": row.problem,
            "hints": list(self.hints.get(row.place, ())),
            "colour": COLOURS[row.layer.family],
            "style": " ".join([*([] if row.is_own else ["given"]), *([] if is_known or row.problem else ["unknown"])]),
            "numbers": self._numbers(row) if is_known else [_cell("")] * (len(COLUMNS) - 2),
        }

    def _numbers(self, row: LayerSummary) -> list[dict[str, Any]]:
        batch, seconds = self.images.batch_size, self.seconds.get(row.place)
        kept, peak = row.activation_bytes * batch, row.peak_bytes * batch
        rows, columns = row.receptive_field
        return [
            _cell(f"{row.parameters:,}", row.parameters / self.parameters, _formula(row, self.images.classes)),
            _cell(counted(row.macs), row.macs / self.macs, f"{row.macs:,} multiply-accumulates for one image"),
            _cell(
                size(kept), row.activation_bytes / self.kept, f"kept for training; {size(peak)} at once for inference"
            ),
            _cell(f"{rows}×{columns}", title=f"receptive field: {rows}×{columns} pixels of the image reach one output"),
            _cell("" if seconds is None else duration(seconds), None if seconds is None else seconds / self.time),
        ]


def _call(row: LayerSummary, classes: int) -> str:
    """Write the layer as a PyTorch call where its input is known and it is a single module."""
    if row.layer.title:
        return row.layer.title
    return str(row.layer.call(row.input_shape, classes)) if row.input_shape else row.layer.kind_title


def _formula(row: LayerSummary, classes: int) -> str:
    share = row.layer.parameter_formula(row.input_shape, classes)
    return share or ("sum of its layers" if row.parameters else "")


def _header(place: Place, name: str, shape: str, about: str) -> dict[str, Any]:
    return {
        "place": _text(place),
        "before": _text(behind(place)),
        "after": _text(behind(place)),
        "own": False,
        "pickable": True,
        "depth": len(place) // 2,
        "name": name,
        "call": about,
        "shape": shape,
        "formula": "",
        "problem": "",
        "hints": [],
        "colour": "",
        "style": "header",
        "numbers": [],
    }


def _cell(text: str, share: float | None = None, title: str = "") -> dict[str, Any]:
    return {"text": text, "share": share, "title": title}
