"""A drawing of a network as one SVG: solids as large as their feature maps, blocks as frames, shapes on the arrows."""

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

_TALLEST, _LOWEST = 96.0, 44.0  # units of the largest maps: alone, and with many branches above one another
_PER_PIXEL = 24.0  # units of the square root of a small image's pixels
_MARGIN = 10.0


def draw_network(rows: Sequence[LayerSummary], input_shape: Shape, title: str, selected: Place | None = None) -> str:
    """The network as a self-contained SVG document, from left to right; ``rows`` are ``follow``'s.

    Solids follow the feature maps (C, H, W) by square roots: their height the rows, their depth the columns, their
    thickness the channels. Each layer is a group of class "layer" whose data-place is its place, joined by dots. It
    takes the colours of the page that it stands in, by Streamlit's variables, or else the reader's light or dark.
    """
    title = one_line(title)  # XML has no control characters
    nodes = nested(rows)
    abreast = max((node.abreast for node in nodes), default=1.0)
    draughtsman = Draughtsman(_scale(rows, input_shape, abreast), selected)
    track = Track(())
    track.begin(draughtsman.image(input_shape))
    draughtsman.along(track, nodes)
    last = nodes[-1].row.output_shape if nodes else input_shape
    drawn = track.end(last)
    width, height = drawn.width + 2 * _MARGIN, drawn.above + drawn.below + 2 * _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{NAME}" role="img" aria-label={quoteattr(title)} '
        f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}">'
        f"<title>{escape(title)}</title><style>{sheet()}</style>"
        f'<rect class="paper" width="100%" height="100%"/>'
        f"{moved(drawn.svg + head(drawn.width, 0, bool(last)), _MARGIN, _MARGIN + drawn.above)}</svg>\n"
    )


def _scale(rows: Sequence[LayerSummary], input_shape: Shape, abreast: float) -> Scale:
    """One for the whole drawing: lower where branches stand above one another or the images are tiny."""
    maps = [shape for shape in (input_shape, *(row.output_shape for row in rows)) if len(shape) == 3]
    largest = max(max(shape[1:]) for shape in maps)
    tallest = max(_LOWEST, _TALLEST / (1 + 0.3 * (abreast - 1)))
    return Scale(largest, min(tallest, _PER_PIXEL * largest**0.5))
