"""Diagrams of networks as SVG: solids as large as their feature maps, blocks as frames, shapes on the arrows."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from cnnlab.networks.architecture import LayerSummary, Place
from cnnlab.networks.diagram.families import COLOURS
from cnnlab.networks.diagram.glyphs import Scale, head, moved
from cnnlab.networks.diagram.layout import Draughtsman, nested
from cnnlab.networks.diagram.style import NAME, sheet
from cnnlab.networks.diagram.track import Track
from cnnlab.networks.layers import Shape
from cnnlab.text import one_line

__all__ = ["COLOURS", "draw_network"]

_TALLEST, _LOWEST = 96.0, 44.0  # units of the largest maps' height: alone, and with many stacked branches
_PER_PIXEL = 24.0  # units of the square root of a small image's pixels
_MARGIN = 10.0


def draw_network(rows: Sequence[LayerSummary], input_shape: Shape, title: str, selected: Place | None = None) -> str:
    """Draw the network of ``follow``'s ``rows`` from left to right as a self-contained SVG document.

    A solid's height, depth and thickness are square roots of its feature maps' rows, columns and channels. Each layer
    is a group of class "layer" whose data-place is its place, joined by dots. The colours are those of the page around
    the SVG, by Streamlit's variables, else the reader's light or dark.
    """
    title = one_line(title)  # XML has no control characters
    nodes = nested(rows)
    abreast = max((node.abreast for node in nodes), default=1.0)
    draughtsman = Draughtsman(_scale(rows, input_shape, abreast), selected)
    track = Track(())
    track.begin(draughtsman.image(input_shape))
    draughtsman.along(track, nodes)
    last = nodes[-1].row.output_shape if nodes else input_shape
    whole = track.end(last)
    width, height = whole.width + 2 * _MARGIN, whole.above + whole.below + 2 * _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{NAME}" role="img" aria-label={quoteattr(title)} '
        f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}">'
        f"<title>{escape(title)}</title><style>{sheet()}</style>"
        f'<rect class="paper" width="100%" height="100%"/>'
        f"{moved(whole.svg + head(whole.width, 0, bool(last)), _MARGIN, _MARGIN + whole.above)}</svg>\n"
    )


def _scale(rows: Sequence[LayerSummary], input_shape: Shape, abreast: float) -> Scale:
    """Choose one scale for the whole diagram, smaller for stacked branches and tiny images."""
    maps = [shape for shape in (input_shape, *(row.output_shape for row in rows)) if len(shape) == 3]
    largest = max(max(shape[1:]) for shape in maps)
    tallest = max(_LOWEST, _TALLEST / (1 + 0.3 * (abreast - 1)))
    return Scale(largest, min(tallest, _PER_PIXEL * largest**0.5))
