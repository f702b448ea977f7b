"""The layout of a diagram: chains of layers along an axis, blocks as frames around such chains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from cnnlab.networks.architecture import LayerSummary, Place
from cnnlab.networks.diagram.families import description, label
from cnnlab.networks.diagram.glyphs import (
    BAND,
    SIGN,
    UNKNOWN,
    Piece,
    Scale,
    Solid,
    head,
    line,
    moved,
    text,
    text_width,
    upright,
    warning,
)
from cnnlab.networks.diagram.merging import PADDING, below_one_another, side_by_side, through
from cnnlab.networks.diagram.track import Track
from cnnlab.networks.layers import Shape, shown
from cnnlab.networks.layers.base import Family

BANDS: set[Family] = {"norm", "activation", "other"}  # families drawn thin, close to what they follow
_HEADLINE = 20.0


@dataclass(frozen=True)
class Node:
    """Hold a layer and, if it is a block, its chains; an empty one passes its input on."""

    row: LayerSummary
    lanes: tuple[tuple[Node, ...], ...] = ()

    @property
    def abreast(self) -> float:
        """Return the largest number of stacked chains; an empty one counts 0.2."""
        return sum(max((node.abreast for node in lane), default=0.2) for lane in self.lanes) or 1.0


def nested(rows: Sequence[LayerSummary]) -> tuple[Node, ...]:
    """Return the layers of the list, each with its inner layers."""
    chains: dict[Place, list[LayerSummary]] = defaultdict(list)
    for row in rows:
        chains[row.place[:-1]].append(row)

    def chain(place: Place) -> tuple[Node, ...]:
        return tuple(
            Node(row, tuple(chain((*row.place, number)) for number in range(row.layer.branch_number)))
            for row in chains.get(place, ())
        )

    return chain(())


@dataclass(frozen=True)
class Draughtsman:
    """Draw layers and blocks on one scale."""

    scale: Scale
    selected: Place | None = None

    def chain(self, nodes: Sequence[Node], shape: Shape) -> Piece:
        """Draw layers in a row; the input's ``shape`` is not written."""
        track = Track(shape)
        self.along(track, nodes)
        return track.end(nodes[-1].row.output_shape if nodes else shape)

    def along(self, track: Track, nodes: Sequence[Node]) -> None:
        for group in _groups(nodes):
            first = group[0]
            piece = self._block(first) if first.row.layer.family == "block" else self._stack([n.row for n in group])
            track.add(piece, first.row.input_shape)

    def image(self, shape: Shape) -> Piece:
        """Draw the input image with a grid that hints at its pixels."""
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
            f'<g class="input"><title>The image: {shown(shape)}</title>{solid.svg(0)}'
            f'<path class="pixels" d="{rules}"/>{text(width / 2, solid.half + 13, "image", "name")}</g>'
        )
        right = left + width
        return Piece(
            moved(svg, left), right + left, solid.half + 2, solid.half + 18, left, right - solid.slant / 2, right
        )

    def _stack(self, rows: Sequence[LayerSummary]) -> Piece:
        """Draw a layer and the bands close behind it, each with a label below."""
        solids = [self._solid(row) for row in rows]
        lead, room = _label_room(rows, solids)
        x, parts, below = lead, [], 0.0
        for row, solid in zip(rows, solids, strict=True):
            marks, reach = _labels(row, solid, x, alone=len(rows) == 1)
            parts.append(self._group(row, solid.svg(x) + marks, x + (solid.thickness + solid.slant) / 2, solid.half))
            x, below = x + solid.thickness + 1.5, max(below, reach)
        x -= 1.5
        right = x + solids[-1].slant
        above = max(solid.half for solid in solids) + (20 if any(row.problem for row in rows) else 2)
        return Piece("".join(parts), max(right, room), above, below, lead, x + solids[-1].slant / 2, right)

    def _solid(self, row: LayerSummary) -> Solid:
        shape = row.output_shape or row.input_shape
        solid = self.scale.solid(shape) if shape else UNKNOWN
        return solid._replace(thickness=BAND) if row.layer.family in BANDS else solid

    def _group(self, row: LayerSummary, inner: str, x: float, half: float) -> str:
        """Group the SVG of one layer with its tooltip and, above ``x``, the mark of a problem."""
        place = ".".join(map(str, row.place))
        mark = warning(x, -half - 10) if row.problem else ""
        return (
            f'<g class="{self._classes(row)}" data-place="{place}"><title>{escape(description(row))}</title>'
            f"{inner}{mark}</g>"
        )

    def _classes(self, row: LayerSummary) -> str:
        names = ["layer", row.layer.family]
        if row.problem:
            names.append("problem")
        elif not row.output_shape:
            names.append("unknown")
        if row.place == self.selected:
            names.append("selected")
        return " ".join(names)

    def _block(self, node: Node) -> Piece:
        """Draw a frame around the block's lanes and their merging."""
        row = node.row
        inner = self._merged(node)
        title = label(row)
        kind = "" if title == row.kind else row.kind
        width = max(inner.width, 2 * PADDING + text_width(f"{title}  {kind}"))
        above, below = inner.above + PADDING / 2 + _HEADLINE, inner.below + PADDING
        rest = line(f"M{inner.width:.1f} 0H{width:.1f}", bool(row.output_shape)) if width > inner.width else ""
        named = f"<tspan>{escape(title)}</tspan>" + (f'<tspan class="kind" dx="6">{kind}</tspan>' if kind else "")
        svg = (
            f'<rect class="frame" y="{-above:.1f}" width="{width:.1f}" height="{above + below:.1f}" rx="9"/>'
            f'<text class="title" x="{PADDING:g}" y="{15 - above:.1f}">{named}</text>{inner.svg}{rest}'
        )
        svg = self._group(row, svg, width - 14, above - 24)
        return Piece(svg, width, above + 1, below + 1, 0.0, width, width)

    def _merged(self, node: Node) -> Piece:
        """Draw the block's lanes and how they merge."""
        row, layer = node.row, node.row.layer
        lanes = [self.chain(lane, row.input_shape) for lane in node.lanes]
        known = bool(row.input_shape), bool(row.output_shape)
        if layer.merge == "concatenation":
            return side_by_side(lanes, *known)
        if layer.merge == "none":
            return through(lanes[0], *known)
        if layer.merge == "product":
            return below_one_another([Piece("", 0.0, SIGN + 4, SIGN), *lanes], *known, is_product=True)
        merged = below_one_another(lanes, *known, is_product=False)
        if layer.final_activation:
            return self._activated(merged, layer.final_activation, row.output_shape)
        return merged

    def _activated(self, inner: Piece, function: str, shape: Shape) -> Piece:
        """Append the band of the block's final activation, which is no layer of its own."""
        solid = (self.scale.solid(shape) if shape else UNKNOWN)._replace(thickness=BAND)
        known = "activation" if shape else "unknown"
        x = inner.width
        end = x + BAND + solid.slant
        svg = (
            f'{inner.svg}{head(x, 0, bool(shape))}<g class="{known}">{solid.svg(x)}'
            f"{upright(x + BAND / 2, solid.half + 5, function, 'detail')}</g>"
            f"{line(f'M{end - solid.slant / 2:.1f} 0H{end + PADDING:.1f}', bool(shape))}"
        )
        below = max(inner.below, solid.half + 8 + text_width(function))
        return Piece(svg, end + PADDING, max(inner.above, solid.half), below)


def _groups(nodes: Sequence[Node]) -> list[list[Node]]:
    """Group each layer with the bands behind it that keep its shape."""
    groups: list[list[Node]] = []
    for node in nodes:
        if groups and _sticks(node.row, groups[-1][-1].row):
            groups[-1].append(node)
        else:
            groups.append([node])
    return groups


def _sticks(row: LayerSummary, before: LayerSummary) -> bool:
    is_band, is_behind_block = row.layer.family in BANDS, before.layer.family == "block"
    return is_band and not is_behind_block and row.output_shape == before.output_shape and not before.problem


def _label_room(rows: Sequence[LayerSummary], solids: Sequence[Solid]) -> tuple[float, float]:
    """Return how far the first layer's label reaches to the left of its solid, and the width from there."""
    first, solid = rows[0], solids[0]
    if first.layer.family in BANDS:
        return 0.0, 0.0
    wide = max(text_width(label(first)), text_width(first.layer.window_label) * 0.9) + 4
    if len(rows) > 1:
        return max(0.0, wide + 2 - solid.thickness), 0.0
    over = max(0.0, wide - solid.thickness - solid.slant) / 2
    return over, wide


def _labels(row: LayerSummary, solid: Solid, x: float, alone: bool) -> tuple[str, float]:
    """Draw the name below a layer, upright for a band, else with the window. Returns it and how far down it reaches."""
    name, detail = label(row), row.layer.window_label
    if row.layer.family in BANDS:
        return upright(x + solid.thickness / 2, solid.half + 5, name, "detail"), solid.half + 8 + text_width(name) * 0.9
    anchor = "middle" if alone else "end"
    at = x + (solid.thickness + solid.slant) / 2 if alone else x + solid.thickness - 2
    words = text(at, solid.half + 13, name, "name", anchor)
    if detail:
        words += text(at, solid.half + 25, detail, "detail", anchor)
    return words, solid.half + (30 if detail else 18)
