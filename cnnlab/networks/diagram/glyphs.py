"""What a drawing is made of: solids, bands, labels, arrows, signs; each as SVG with the room that it takes.

Units are those of the SVG's viewBox, at natural size pixels. The flow runs from left to right along y = 0, its axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2, sqrt
from typing import NamedTuple
from xml.sax.saxutils import escape

from cnnlab.networks.layers import Shape

BAND = 9.0  # thickness of what changes numbers one by one
SIGN = 8.0  # radius of a sum's or a product's
_SLANT, _RISE = 0.3, 0.2  # of a solid's depth, to the right and up
_LETTER = 5.7  # width of a label's letters, on the average
_LINE = 12.0  # height


@dataclass(frozen=True)
class Piece:
    """Something drawn, from x = 0 on, and how far it reaches above and below the axis."""

    svg: str
    width: float
    above: float
    below: float
    entry: float = 0.0  # x where an arrow ends
    exit: float = 0.0  # x where the next one begins
    right: float = 0.0  # x where it is seen to end at the axis


class Solid(NamedTuple):
    """A cuboid seen a little from the right and from above."""

    thickness: float  # along the flow
    height: float
    depth: float

    @property
    def slant(self) -> float:
        """What the depth takes to the right."""
        return self.depth * _SLANT

    @property
    def half(self) -> float:
        """What it takes above and below the axis."""
        return (self.height + self.depth * _RISE) / 2

    def drawn(self, x: float) -> str:
        """Its three faces that are seen, the near left edge at ``x``."""
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
    """How large maps are drawn: by the square root of their size, so that 224 pixels and 1 are both seen."""

    largest: int  # pixels
    units: float  # that the largest take

    def solid(self, shape: Shape) -> Solid:
        """Maps (C, H, W) as thick as their channels are many; flat features as a bar, by their logarithm."""
        if len(shape) == 3:
            return Solid(4 + 2.1 * sqrt(shape[0]), self._side(shape[1]), self._side(shape[2]))
        return Solid(12.0, 9 * log2(1 + shape[0]), 16.0)

    def _side(self, pixels: int) -> float:
        return 4 + (self.units - 4) * sqrt(pixels / self.largest)


UNKNOWN = Solid(16.0, 44.0, 20.0)


def text_width(text: str) -> float:
    """What a label takes, roughly: it is not known which font there is."""
    return len(text) * _LETTER


def text(x: float, y: float, content: str, kind: str, anchor: str = "middle") -> str:
    """Words whose baseline is at ``y``; ``kind`` is a class of the style sheet's."""
    place = f'x="{x:.1f}" y="{y:.1f}"'
    return f'<text class="{kind}" text-anchor="{anchor}" {place}>{escape(content)}</text>'


def upright(x: float, y: float, content: str, kind: str, anchor: str = "end") -> str:
    """Words that read upwards; they end at ``y``."""
    place = f'transform="translate({x:.1f} {y:.1f})rotate(-90)"'
    return f'<text class="{kind}" text-anchor="{anchor}" dy=".32em" {place}>{escape(content)}</text>'


def moved(svg: str, x: float, y: float = 0.0) -> str:
    """The same elsewhere."""
    return f'<g transform="translate({x:.1f} {y:.1f})">{svg}</g>'


def line(path: str, is_known: bool = True) -> str:
    """A way of the flow without a head; dashed where nobody knows what flows."""
    return f'<path class="flow{"" if is_known else " unknown"}" d="{path}"/>'


def head(x: float, y: float, is_known: bool = True, turn: int = 0) -> str:
    """An arrow's, its tip at (x, y); ``turn`` is in degrees, 0 points to the right."""
    turned = f"rotate({turn})" if turn else ""
    kind = "head" if is_known else "head unknown"
    return f'<path class="{kind}" transform="translate({x:.1f} {y:.1f}){turned}" d="M0 0l-6-3.2v6.4z"/>'


def warning(x: float, y: float) -> str:
    """A red exclamation mark."""
    return f'<circle class="warning" cx="{x:.1f}" cy="{y:.1f}" r="8"/>{text(x, y + 4, "!", "mark")}'


def sign(x: float, is_product: bool) -> str:
    """⊕ or ⊗ on the axis."""
    arm = 3.2 if is_product else 4.5
    strokes = (
        f"M{-arm} {-arm}L{arm} {arm}M{-arm} {arm}L{arm} {-arm}" if is_product else f"M{-arm} 0H{arm}M0 {-arm}V{arm}"
    )
    return moved(f'<circle class="sign" r="{SIGN:g}"/><path class="stroke" d="{strokes}"/>', x)
