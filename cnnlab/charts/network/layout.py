"""Where everything stands: layers one behind the other along an axis, blocks as frames around such chains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from cnnlab.architectures import LayerSummary, Place
from cnnlab.charts.network.families import FAMILIES, description, family, label, window
from cnnlab.charts.network.glyphs import (
    BAND,
    SIGN,
    UNKNOWN,
    Piece,
    Scale,
    Solid,
    head,
    line,
    moved,
    sign,
    text,
    text_width,
    upright,
    warning,
)
from cnnlab.layers import Layer, Shape, shown

BANDS = {"norm", "activation", "other"}  # families drawn thin, close to what they follow
_GAP = 15.0  # of an arrow without words
_TURN = 8.0  # radius of a way's corners
_BETWEEN = 12.0  # lanes
_PADDING = 10.0  # of a frame
_HEADLINE = 20.0


@dataclass(frozen=True)
class Node:
    """A layer, and the chains within it where it is a block; an empty one passes its input on."""

    row: LayerSummary
    lanes: tuple[tuple[Node, ...], ...] = ()

    @property
    def abreast(self) -> float:
        """How many chains stand above one another at the most; an empty one takes little."""
        return sum(max((node.abreast for node in lane), default=0.2) for lane in self.lanes) or 1.0


def nested(rows: Sequence[LayerSummary]) -> tuple[Node, ...]:
    """The list's layers, each with those within it."""
    chains: dict[Place, list[LayerSummary]] = defaultdict(list)
    for row in rows:
        chains[row.place[:-1]].append(row)

    def chain(place: Place) -> tuple[Node, ...]:
        return tuple(
            Node(row, tuple(chain((*row.place, number)) for number in range(_lanes(row.layer))))
            for row in chains.get(place, ())
        )

    return chain(())


def _lanes(layer: Layer) -> int:
    if layer.kind == "parallel":
        return len(layer.paths)
    return {"residual": 2, "depthwise-separable": 1, "squeeze-excite": 1}.get(layer.kind, 0)


class Track:
    """Pieces along an axis, joined by arrows that tell the shape wherever it changes."""

    def __init__(self, shape: Shape) -> None:
        self.parts: list[str] = []
        self.above = self.below = 4.0
        self._x = self._from = self._seen = 0.0  # where the last piece ends, its arrow begins, it is seen to end
        self._told = shape

    def add(self, piece: Piece, shape: Shape) -> None:
        """Put ``piece`` behind the others; ``shape`` flows into it."""
        words = self._words(shape)
        free = self._x - self._seen + piece.entry
        x = self._x + max(_GAP - free, text_width(words) + 12 - free, 0 if piece.entry else _GAP)
        end = x + piece.entry
        self._join(end, words, is_known=bool(shape))
        self.parts += [head(end, 0, bool(shape)), moved(piece.svg, x)]
        self._x, self._from, self._seen = x + piece.width, x + piece.exit, x + piece.right
        self.above, self.below = max(self.above, piece.above), max(self.below, piece.below)

    def begin(self, piece: Piece) -> None:
        """Put what nothing flows into first."""
        self.parts.append(piece.svg)
        self._x, self._from, self._seen = piece.width, piece.exit, piece.right
        self.above, self.below = max(self.above, piece.above), max(self.below, piece.below)

    def end(self, shape: Shape) -> Piece:
        """All of it; ``shape`` flows out on its right edge."""
        words = self._words(shape)
        width = max(self._x, self._seen + max(_GAP, text_width(words) + 12))
        self._join(width, words, is_known=bool(shape))
        return Piece("".join(self.parts), width, self.above, self.below, 0.0, width, width)

    def _words(self, shape: Shape) -> str:
        if not shape or shape == self._told:
            return ""
        self._told = shape
        return shown(shape)

    def _join(self, end: float, words: str, is_known: bool) -> None:
        self.parts.append(line(f"M{self._from:.1f} 0H{end:.1f}", is_known))
        if words:
            self.parts.append(text((self._seen + end) / 2 - 1, -5, words, "shape"))
            self.above = max(self.above, 14)


@dataclass(frozen=True)
class Draughtsman:
    """Draws layers and blocks on one scale."""

    scale: Scale
    selected: Place | None = None

    def chain(self, nodes: Sequence[Node], shape: Shape) -> Piece:
        """Layers one behind the other; ``shape`` flows in and is not told."""
        track = Track(shape)
        self.along(track, nodes)
        return track.end(nodes[-1].row.output_shape if nodes else shape)

    def along(self, track: Track, nodes: Sequence[Node]) -> None:
        for group in _groups(nodes):
            first = group[0]
            piece = self._block(first) if family(first.row.layer) == "block" else self._stack([n.row for n in group])
            track.add(piece, first.row.input_shape)

    def image(self, shape: Shape) -> Piece:
        """The input, ruled so that one sees its pixels."""
        solid = self.scale.solid(shape)
        top, rise = solid.half - solid.height, 2 * solid.half - solid.height
        rules = "".join(
            f"M{solid.thickness:.1f} {top + solid.height * share:.1f}l{solid.slant:.1f} {-rise:.1f}"
            f"M{solid.thickness + solid.slant * share:.1f} {top - rise * share:.1f}v{solid.height:.1f}"
            for share in (0.25, 0.5, 0.75)
        )
        width = solid.thickness + solid.slant
        left = max(0.0, text_width("image") - width) / 2
        svg = (
            f'<g class="input"><title>The image: {shown(shape)}</title>{solid.drawn(0)}'
            f'<path class="pixels" d="{rules}"/>{text(width / 2, solid.half + 13, "image", "name")}</g>'
        )
        right = left + width
        return Piece(
            moved(svg, left), right + left, solid.half + 2, solid.half + 18, left, right - solid.slant / 2, right
        )

    def _stack(self, rows: Sequence[LayerSummary]) -> Piece:
        """A layer and the bands close behind it, one label under each."""
        solids = [self._solid(row) for row in rows]
        lead, room = _label_room(rows, solids)
        x, parts, below = lead, [], 0.0
        for row, solid in zip(rows, solids, strict=True):
            marks, reach = _labels(row, solid, x, alone=len(rows) == 1)
            parts.append(self._group(row, solid.drawn(x) + marks, x + (solid.thickness + solid.slant) / 2, solid.half))
            x, below = x + solid.thickness + 1.5, max(below, reach)
        x -= 1.5
        right = x + solids[-1].slant
        above = max(solid.half for solid in solids) + (20 if any(row.problem for row in rows) else 2)
        return Piece("".join(parts), max(right, room), above, below, lead, x + solids[-1].slant / 2, right)

    def _solid(self, row: LayerSummary) -> Solid:
        shape = row.output_shape or row.input_shape
        solid = self.scale.solid(shape) if shape else UNKNOWN
        return solid._replace(thickness=BAND) if family(row.layer) in BANDS else solid

    def _group(self, row: LayerSummary, inner: str, x: float, half: float) -> str:
        """What stands for one layer, with what a browser tells about it; the mark of a problem above ``x``."""
        place = ".".join(map(str, row.place))
        mark = warning(x, -half - 10) if row.problem else ""
        return (
            f'<g class="{self._classes(row)}" data-place="{place}"><title>{escape(description(row))}</title>'
            f"{inner}{mark}</g>"
        )

    def _classes(self, row: LayerSummary) -> str:
        names = ["layer", FAMILIES[row.kind]]
        if row.problem:
            names.append("problem")
        elif not row.output_shape:
            names.append("unknown")
        if row.place == self.selected:
            names.append("selected")
        return " ".join(names)

    def _block(self, node: Node) -> Piece:
        """A frame around the block's lanes and what merges them."""
        row = node.row
        inner = self._merged(node)
        title = label(row)
        kind = "" if title == row.kind else row.kind
        width = max(inner.width, 2 * _PADDING + text_width(f"{title}  {kind}"))
        above, below = inner.above + _PADDING / 2 + _HEADLINE, inner.below + _PADDING
        rest = line(f"M{inner.width:.1f} 0H{width:.1f}", bool(row.output_shape)) if width > inner.width else ""
        named = f"<tspan>{escape(title)}</tspan>" + (f'<tspan class="kind" dx="6">{kind}</tspan>' if kind else "")
        svg = (
            f'<rect class="frame" y="{-above:.1f}" width="{width:.1f}" height="{above + below:.1f}" rx="9"/>'
            f'<text class="title" x="{_PADDING:g}" y="{15 - above:.1f}">{named}</text>{inner.svg}{rest}'
        )
        svg = self._group(row, svg, width - 14, above - 24)
        return Piece(svg, width, above + 1, below + 1, 0.0, width, width)

    def _merged(self, node: Node) -> Piece:
        """What a block's kind makes of its lanes."""
        layer, shape = node.row.layer, node.row.input_shape
        lanes = [self.chain(lane, shape) for lane in node.lanes]
        if layer.kind == "parallel":
            return _side_by_side(lanes, node)
        if layer.kind == "depthwise-separable":
            return _through(lanes[0], bool(shape), bool(node.row.output_shape))
        ways = [Piece("", 0.0, SIGN + 4, SIGN), lanes[0]] if layer.kind == "squeeze-excite" else lanes
        merged = _below_one_another(ways, node)
        if layer.kind == "residual" and layer.activation != "none":
            return self._activated(merged, layer.activation, node.row.output_shape)
        return merged

    def _activated(self, inner: Piece, function: str, shape: Shape) -> Piece:
        """With the band of the activation that ends a residual block, which is no layer of its own."""
        solid = (self.scale.solid(shape) if shape else UNKNOWN)._replace(thickness=BAND)
        known = "activation" if shape else "unknown"
        x = inner.width
        end = x + BAND + solid.slant
        svg = (
            f'{inner.svg}{head(x, 0, bool(shape))}<g class="{known}">{solid.drawn(x)}'
            f"{upright(x + BAND / 2, solid.half + 5, function, 'detail')}</g>"
            f"{line(f'M{end - solid.slant / 2:.1f} 0H{end + _PADDING:.1f}', bool(shape))}"
        )
        below = max(inner.below, solid.half + 8 + text_width(function))
        return Piece(svg, end + _PADDING, max(inner.above, solid.half), below)


def _groups(nodes: Sequence[Node]) -> list[list[Node]]:
    """Layers with the bands behind them that keep their shape."""
    groups: list[list[Node]] = []
    for node in nodes:
        if groups and _sticks(node.row, groups[-1][-1].row):
            groups[-1].append(node)
        else:
            groups.append([node])
    return groups


def _sticks(row: LayerSummary, before: LayerSummary) -> bool:
    is_band = family(row.layer) in BANDS
    return (
        is_band and family(before.layer) != "block" and row.output_shape == before.output_shape and not before.problem
    )


def _label_room(rows: Sequence[LayerSummary], solids: Sequence[Solid]) -> tuple[float, float]:
    """What the first layer's label takes to the left of its solid, and how far right it reaches from there."""
    first, solid = rows[0], solids[0]
    if family(first.layer) in BANDS:
        return 0.0, 0.0
    wide = max(text_width(label(first)), text_width(window(first.layer)) * 0.9) + 4
    if len(rows) > 1:
        return max(0.0, wide + 2 - solid.thickness), 0.0
    over = max(0.0, wide - solid.thickness - solid.slant) / 2
    return over, wide


def _labels(row: LayerSummary, solid: Solid, x: float, alone: bool) -> tuple[str, float]:
    """The name under a layer and how far down it reaches: a band's upright, another's with its window below."""
    name, detail = label(row), window(row.layer)
    if family(row.layer) in BANDS:
        return upright(x + solid.thickness / 2, solid.half + 5, name, "detail"), solid.half + 8 + text_width(name) * 0.9
    anchor = "middle" if alone else "end"
    at = x + (solid.thickness + solid.slant) / 2 if alone else x + solid.thickness - 2
    words = text(at, solid.half + 13, name, "name", anchor)
    if detail:
        words += text(at, solid.half + 25, detail, "detail", anchor)
    return words, solid.half + (30 if detail else 18)


def _through(lane: Piece, known_in: bool, known_out: bool) -> Piece:
    """One lane, and nothing merged."""
    x = _PADDING
    ends = line(f"M0 0H{x:g}", known_in) + line(f"M{x + lane.width:.1f} 0h{_PADDING:g}", known_out)
    return Piece(ends + moved(lane.svg, x), lane.width + 2 * _PADDING, lane.above, lane.below)


def _below_one_another(lanes: Sequence[Piece], node: Node) -> Piece:
    """The first of two lanes on the axis, the other below; they meet in a sum, a gate's in a product."""
    upper, lower = lanes
    known_in, known_out = bool(node.row.input_shape), bool(node.row.output_shape)
    y = upper.below + _BETWEEN + lower.above
    start = _PADDING + _TURN
    end = start + max(upper.width, lower.width)
    merge = end + _TURN
    svg = "".join(
        [
            line(f"M0 0H{start:g}", known_in),
            f'<circle class="fork" cx="{_PADDING:g}" cy="0" r="2.4"/>',
            line(f"M{_PADDING:g} 0V{y - _TURN:.1f}q0 {_TURN:g} {_TURN:g} {_TURN:g}", known_in),
            moved(upper.svg, start),
            moved(lower.svg, start, y),
            line(f"M{start + upper.width:.1f} 0H{merge + 4:.1f}", known_out),
            line(
                f"M{start + lower.width:.1f} {y:.1f}H{end + 4:.1f}q{_TURN:g} 0 {_TURN:g} {-_TURN:g}V{SIGN:g}",
                known_out,
            ),
            head(merge + 4, SIGN, known_out, turn=-90),
            head(merge + 4 - SIGN, 0, known_out),
            sign(merge + 4, is_product=node.row.kind == "squeeze-excite"),
            line(f"M{merge + 4 + SIGN:.1f} 0h{_GAP:g}", known_out),
        ]
    )
    return Piece(svg, merge + 4 + SIGN + _GAP, upper.above, y + lower.below)


def _side_by_side(lanes: Sequence[Piece], node: Node) -> Piece:
    """Lanes one below the other, the axis in their middle; they meet in a bar that stands for a concatenation."""
    known_in, known_out = bool(node.row.input_shape), bool(node.row.output_shape)
    heights = _spread(lanes)
    start = _PADDING + _TURN
    bus = start + max(lane.width for lane in lanes) + 8
    parts = [line(f"M0 0H{_PADDING:g}", known_in), f'<circle class="fork" cx="{_PADDING:g}" cy="0" r="2.4"/>']
    for lane, y in zip(lanes, heights, strict=True):
        parts.append(line(_branch(y, start), known_in))
        parts.append(moved(lane.svg, start, y))
        parts.append(line(f"M{start + lane.width:.1f} {y:.1f}H{bus:.1f}", known_out))
        parts.append(head(bus, y, known_out))
    top, bottom = min(heights[0] - 12, -28), max(heights[-1] + 12, 28)
    parts.append(f'<rect class="bus" x="{bus:.1f}" y="{top:.1f}" width="14" height="{bottom - top:.1f}" rx="5"/>')
    parts.append(upright(bus + 7, (top + bottom) / 2, "concat", "bus-name", "middle"))
    parts.append(line(f"M{bus + 14:.1f} 0h{_PADDING:g}", known_out))
    above, below = lanes[0].above - heights[0], lanes[-1].below + heights[-1]
    return Piece("".join(parts), bus + 14 + _PADDING, max(above, 30), max(below, 30))


def _spread(lanes: Sequence[Piece]) -> list[float]:
    """The y of each lane, their middle at 0."""
    heights = [0.0]
    for upper, lower in zip(lanes, lanes[1:], strict=False):
        heights.append(heights[-1] + upper.below + _BETWEEN + lower.above)
    return [y - heights[-1] / 2 for y in heights]


def _branch(y: float, end: float) -> str:
    """The way from the fork to a lane at ``y``, its corner rounded."""
    if abs(y) <= _TURN:
        return f"M{_PADDING:g} 0V{y:.1f}H{end:g}"
    turn = _TURN if y > 0 else -_TURN
    return f"M{_PADDING:g} 0V{y - turn:.1f}q0 {turn:g} {_TURN:g} {turn:g}H{end:g}"
