"""Small charts as SVG: drawn without a browser, sharp on paper, in the colours of the page around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10

from markupsafe import Markup

from cnnlab.palette import PALETTE
from cnnlab.text import one_line

WIDTH, HEIGHT = 440, 250  # units, which are pixels where the page is wide enough
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 12, 36  # margins
LABEL = 7  # units of width for a letter of a label
LINE = 14  # units between two labels at least
NEAR = 24  # units: lines that end so near each other have labels in one column
MAX_POINTS = 300  # of a line: more than can be seen
GREY = PALETTE[8]

_FRAME = Markup(
    '<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{alt}"><title>{alt}</title>{inner}</svg>'
)
_TEXT = Markup('<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}"{fill}>{text}</text>')


@dataclass(frozen=True)
class Line:
    """A line of a chart; its ``label`` stands at its end."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str
    is_dotted: bool = False
    has_marks: bool = False


@dataclass(frozen=True)
class Axis:
    """An axis from ``low`` to ``high``: its title, where its ticks are and how they are written."""

    title: str
    low: float
    high: float
    ticks: tuple[float, ...]
    written: Callable[[float], str]

    def share(self, value: float) -> float:
        """Return where along the axis a value lies, 0 to 1."""
        return (value - self.low) / (self.high - self.low)


def numbers(value: float) -> str:
    """Write a tick: 0.05, 12, 1,500."""
    return f"{value:,.6g}" if value >= 1 else f"{value:.3g}"


def shares(value: float) -> str:
    """Write a tick of a share: 97.5%."""
    return f"{100 * value:.4g}%"


def axis(
    values: Sequence[float],
    title: str = "",
    written: Callable[[float], str] = numbers,
    low: float | None = None,
    finest: float = 0.0,
) -> Axis:
    """Choose an axis for values, with round ticks that are ``finest`` apart at least; ``low`` is where it starts."""
    smallest, largest = min(values) if low is None else low, max(values)
    span = (largest - smallest) or abs(largest) or 1.0
    size = 10 ** floor(log10(span / 4))
    step = next(size * factor for factor in (1, 2, 5, 10) if span / (size * factor) <= 6)
    step = max(step, finest)
    first, last = floor(smallest / step + 1e-9), ceil(largest / step - 1e-9)
    ticks = tuple(round(step * number, 12) for number in range(first, max(last, first + 1) + 1))
    return Axis(title, ticks[0], ticks[-1], ticks, written)


def line_chart(lines: Sequence[Line], x: Axis, y: Axis, alt: str) -> Markup:
    """Draw lines with their labels at their ends, apart from one another."""
    right = RIGHT + LABEL * max((len(line.label) for line in lines), default=0)
    across, down = _across(x, right), _down(y)
    inner = _grid(x, y, right)
    for line in lines:
        points = _thinned([(across(at), down(value)) for at, value in zip(line.x, line.y, strict=True)])
        inner += _path(points, line)
    ends = [(across(line.x[-1]), down(line.y[-1])) for line in lines]
    for line, (left, top) in zip(lines, _apart(ends), strict=True):
        inner += _text(left + 6, top + 4, line.label, "start", "end", line.colour)
    return _framed(inner, alt)


def interval_mark(low: float, middle: float, high: float, scale: Axis, colour: str = PALETTE[0]) -> Markup:
    """Draw a point with its interval on a scale, for a cell of a table."""
    width, height = 150, 14

    def at(value: float) -> float:
        return 6 + (width - 12) * scale.share(value)

    inner = Markup(
        '<line x1="{low:.1f}" x2="{high:.1f}" y1="7" y2="7" stroke="{grey}" stroke-width="2"/>'
        '<circle cx="{middle:.1f}" cy="7" r="4" fill="{colour}"/>'
    ).format(low=at(low), high=at(high), middle=at(middle), colour=colour, grey=GREY)
    alt = f"{shares(middle)} between {low:.1%} and {high:.1%}"
    return Markup('<svg class="mark" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        width, height, alt, inner
    )


def _grid(x: Axis, y: Axis, right: float) -> Markup:
    """Draw horizontal lines, the numbers of both axes and the title of the lower one; the upper one titles a chart."""
    across, down, end = _across(x, right), _down(y), WIDTH - right
    inner = Markup()
    for tick in y.ticks:
        inner += Markup('<line x1="{}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}" class="grid"/>').format(
            LEFT, end, down(tick), down(tick)
        )
        inner += _text(LEFT - 6, down(tick) + 4, y.written(tick), "end", "tick")
    for tick in x.ticks:
        inner += _text(across(tick), HEIGHT - BOTTOM + 16, x.written(tick), "middle", "tick")
    return inner + _text((LEFT + end) / 2, HEIGHT - 3, x.title, "middle", "tick")


def _path(points: Sequence[tuple[float, float]], line: Line) -> Markup:
    dots = Markup(' stroke-dasharray="2 4"') if line.is_dotted else ""
    path = Markup('<polyline fill="none" stroke="{}" stroke-width="2"{} points="{}"/>').format(
        line.colour, dots, " ".join(f"{left:.1f},{top:.1f}" for left, top in points)
    )
    if not (line.has_marks or len(points) == 1):
        return path
    mark = Markup('<circle cx="{:.1f}" cy="{:.1f}" r="3" fill="{}"/>')
    return path + Markup().join(mark.format(left, top, line.colour) for left, top in points)


def _across(axis: Axis, right: float) -> Callable[[float], float]:
    return lambda value: LEFT + (WIDTH - LEFT - right) * axis.share(value)


def _down(axis: Axis) -> Callable[[float], float]:
    return lambda value: TOP + (HEIGHT - TOP - BOTTOM) * (1 - axis.share(value))


def _apart(ends: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Move labels of lines that end near each other up or down, until none covers another."""
    moved = list(ends)
    for column in {left // NEAR for left, _ in ends}:
        order = sorted((at for at, (left, _) in enumerate(ends) if left // NEAR == column), key=lambda at: ends[at][1])
        for before, after in pairwise(order):
            moved[after] = (ends[after][0], max(moved[after][1], moved[before][1] + LINE))
        lowest = float(HEIGHT - BOTTOM)
        for at in reversed(order):
            moved[at] = (ends[at][0], min(moved[at][1], lowest))
            lowest = moved[at][1] - LINE
    return moved


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    stride = ceil(len(points) / MAX_POINTS) or 1
    return points if stride == 1 else [*points[:-1:stride], points[-1]]


def _text(x: float, y: float, text: str, anchor: str, kind: str, colour: str = "") -> Markup:
    fill = Markup(' fill="{}"').format(colour) if colour else ""
    return _TEXT.format(x=x, y=y, anchor=anchor, kind=kind, fill=fill, text=one_line(text))


def _framed(inner: Markup, alt: str) -> Markup:
    return _FRAME.format(width=WIDTH, height=HEIGHT, alt=one_line(alt), inner=inner)
