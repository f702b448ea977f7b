"""How the lanes of a block fork and merge."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from cnnlab.networks.diagram.glyphs import SIGN, Piece, head, line, moved, sign, upright
from cnnlab.networks.diagram.track import GAP

PADDING = 10.0  # between a frame and what is in it
_TURN = 8.0  # radius of an arrow's corners
_BETWEEN = 12.0  # lanes


def through(lane: Piece, known_in: bool, known_out: bool) -> Piece:
    """Draw a single lane, without a merge."""
    x = PADDING
    ends = line(f"M0 0H{x:g}", known_in) + line(f"M{x + lane.width:.1f} 0h{PADDING:g}", known_out)
    return Piece(ends + moved(lane.svg, x), lane.width + 2 * PADDING, lane.above, lane.below)


def below_one_another(lanes: Sequence[Piece], known_in: bool, known_out: bool, is_product: bool) -> Piece:
    """Draw two lanes, the first on the axis, the other below, merged in a sum or a product."""
    upper, lower = lanes
    y = upper.below + _BETWEEN + lower.above
    start = PADDING + _TURN
    end = start + max(upper.width, lower.width)
    merge = end + _TURN
    svg = "".join(
        [
            line(f"M0 0H{start:g}", known_in),
            f'<circle class="fork" cx="{PADDING:g}" cy="0" r="2.4"/>',
            line(f"M{PADDING:g} 0V{y - _TURN:.1f}q0 {_TURN:g} {_TURN:g} {_TURN:g}", known_in),
            moved(upper.svg, start),
            moved(lower.svg, start, y),
            line(f"M{start + upper.width:.1f} 0H{merge + 4:.1f}", known_out),
            line(
                f"M{start + lower.width:.1f} {y:.1f}H{end + 4:.1f}q{_TURN:g} 0 {_TURN:g} {-_TURN:g}V{SIGN:g}",
                known_out,
            ),
            head(merge + 4, SIGN, known_out, turn=-90),
            head(merge + 4 - SIGN, 0, known_out),
            sign(merge + 4, is_product),
            line(f"M{merge + 4 + SIGN:.1f} 0h{GAP:g}", known_out),
        ]
    )
    return Piece(svg, merge + 4 + SIGN + GAP, upper.above, y + lower.below)


def side_by_side(lanes: Sequence[Piece], known_in: bool, known_out: bool) -> Piece:
    """Draw stacked lanes around the axis, merged in a bar that stands for a concatenation."""
    heights = _spread(lanes)
    start = PADDING + _TURN
    bus = start + max(lane.width for lane in lanes) + 8
    parts = [line(f"M0 0H{PADDING:g}", known_in), f'<circle class="fork" cx="{PADDING:g}" cy="0" r="2.4"/>']
    for lane, y in zip(lanes, heights, strict=True):
        parts.append(line(_branch(y, start), known_in))
        parts.append(moved(lane.svg, start, y))
        parts.append(line(f"M{start + lane.width:.1f} {y:.1f}H{bus:.1f}", known_out))
        parts.append(head(bus, y, known_out))
    top, bottom = min(heights[0] - 12, -28), max(heights[-1] + 12, 28)
    parts.append(f'<rect class="bus" x="{bus:.1f}" y="{top:.1f}" width="14" height="{bottom - top:.1f}" rx="5"/>')
    parts.append(upright(bus + 7, (top + bottom) / 2, "concat", "bus-name", "middle"))
    parts.append(line(f"M{bus + 14:.1f} 0h{PADDING:g}", known_out))
    above, below = lanes[0].above - heights[0], lanes[-1].below + heights[-1]
    return Piece("".join(parts), bus + 14 + PADDING, max(above, 30), max(below, 30))


def _spread(lanes: Sequence[Piece]) -> list[float]:
    """Return the y of each lane, centred on 0."""
    heights = [0.0]
    for upper, lower in pairwise(lanes):
        heights.append(heights[-1] + upper.below + _BETWEEN + lower.above)
    return [y - heights[-1] / 2 for y in heights]


def _branch(y: float, end: float) -> str:
    """Return the path from the fork to a lane at ``y``, with a rounded corner."""
    if abs(y) <= _TURN:
        return f"M{PADDING:g} 0V{y:.1f}H{end:g}"
    turn = _TURN if y > 0 else -_TURN
    return f"M{PADDING:g} 0V{y - turn:.1f}q0 {turn:g} {_TURN:g} {turn:g}H{end:g}"
