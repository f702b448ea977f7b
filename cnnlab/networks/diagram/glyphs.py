"""The glyphs of a diagram: solids, bands, labels, arrows and signs, each as SVG with the room that it takes.

Lengths are in units of the SVG's viewBox, pixels at natural size. Data flow from left to right along the axis y = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2, sqrt
from typing import NamedTuple
from xml.sax.saxutils import escape

from cnnlab.networks.layers import Shape

BAND = 9.0  # thickness of what changes numbers one by one
SIGN = 8.0  # radius of the sign of a sum or a product
_SLANT, _RISE = 0.3, 0.2  # of a solid's depth, to the right and up
_LETTER = 5.7  # mean width of a label's letters
_LINE = 12.0  # height


@dataclass(frozen=True)
class Piece:
    """Hold a drawn part, which begins at x = 0, and how far it reaches above and below the axis."""

    svg: str
    width: float
    above: float
    below: float
    entry: float = 0.0  # x where an arrow ends
    exit: float = 0.0  # x where the next one begins
    right: float = 0.0  # x of its visible end on the axis


class Solid(NamedTuple):
    """Describe a cuboid seen slightly from the right and from above."""

    thickness: float  # along the flow
    height: float
    depth: float

    @property
    def slant(self) -> float:
        """Return how far the depth reaches to the right."""
        return self.depth * _SLANT

    @property
    def half(self) -> float:
        """Return how far it reaches above and below the axis."""
        return (self.height + self.depth * _RISE) / 2

    def svg(self, x: float) -> str:
        """Draw the three visible faces, the near left edge at ``x``."""
        thickness, height, slant, rise = self.thickness, self.height, self.slant, self.depth * _RISE
        top = self.half - height
        return (
            f'<path class="top" d="M{x:.1f} {top:.1f}l{slant:.1f} {-rise:.1f}h{thickness:.1f}'
            f'l{-slant:.1f} {rise:.1f}z"/>'
            f'<path class="side" d="M{x + thickness:.1f} {top:.1f}l{slant:.1f} {-rise:.1f}v{height:.1f}'
            f'l{-slant:.1f} {rise:.1f}z"/>'
            f'<path class="front" d="M{x:.1f} {top:.1f}h{thickness:.1f}v{height:.1f}h{-thickness:.1f}z"/>'
        )


@dataclass(frozen=True)
class Scale:
    """Scale feature maps by the square root of their size, so that both 224 pixels and 1 are visible."""

    largest: int  # pixels
    units: float  # height of the largest

    def solid(self, shape: Shape) -> Solid:
        """Return the solid of maps (C, H, W), or of flat features: a bar as high as the logarithm of their number."""
        if len(shape) == 3:
            return Solid(4 + 2.1 * sqrt(shape[0]), self._side(shape[1]), self._side(shape[2]))
        return Solid(12.0, 9 * log2(1 + shape[0]), 16.0)

    def _side(self, pixels: int) -> float:
        return 4 + (self.units - 4) * sqrt(pixels / self.largest)


UNKNOWN = Solid(16.0, 44.0, 20.0)


def text_width(text: str) -> float:
    """Estimate a label's width; the reader's font is unknown."""
    return len(text) * _LETTER


def text(x: float, y: float, content: str, kind: str, anchor: str = "middle") -> str:
    """Draw words with their baseline at ``y``; ``kind`` is a class of the style sheet."""
    place = f'x="{x:.1f}" y="{y:.1f}"'
    return f'<text class="{kind}" text-anchor="{anchor}" {place}>{escape(content)}</text>'


def upright(x: float, y: float, content: str, kind: str, anchor: str = "end") -> str:
    """Draw words that read upwards and end at ``y``."""
    place = f'transform="translate({x:.1f} {y:.1f})rotate(-90)"'
    return f'<text class="{kind}" text-anchor="{anchor}" dy=".32em" {place}>{escape(content)}</text>'


def moved(svg: str, x: float, y: float = 0.0) -> str:
    """Move an SVG fragment by (x, y)."""
    return f'<g transform="translate({x:.1f} {y:.1f})">{svg}</g>'


def line(path: str, is_known: bool = True) -> str:
    """Draw an arrow's line without its head, dashed if the shape is unknown."""
    return f'<path class="flow{"" if is_known else " unknown"}" d="{path}"/>'


def head(x: float, y: float, is_known: bool = True, turn: int = 0) -> str:
    """Draw an arrow's head with its tip at (x, y), turned clockwise by ``turn`` degrees; 0 points to the right."""
    turned = f"rotate({turn})" if turn else ""
    kind = "head" if is_known else "head unknown"
    return f'<path class="{kind}" transform="translate({x:.1f} {y:.1f}){turned}" d="M0 0l-6-3.2v6.4z"/>'


def warning(x: float, y: float) -> str:
    """Draw a red exclamation mark around (x, y)."""
    return f'<circle class="warning" cx="{x:.1f}" cy="{y:.1f}" r="8"/>{text(x, y + 4, "!", "mark")}'


def sign(x: float, is_product: bool) -> str:
    """Draw ⊕ or ⊗ on the axis."""
    arm = 3.2 if is_product else 4.5
    strokes = (
        f"M{-arm} {-arm}L{arm} {arm}M{-arm} {arm}L{arm} {-arm}" if is_product else f"M{-arm} 0H{arm}M0 {-arm}V{arm}"
    )
    return moved(f'<circle class="sign" r="{SIGN:g}"/><path class="stroke" d="{strokes}"/>', x)
