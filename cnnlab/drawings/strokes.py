"""Drawings as pen strokes, lists of points, from a canvas or a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import cos, radians, sin
from typing import Annotated, Any, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, FailFast, Field, TypeAdapter, ValidationError

from cnnlab.errors import CnnLabError
from cnnlab.files import plain_json

CANVAS = 280  # pixels, width and height
DRAWN_HEIGHT = 180  # pixels of the canvas: the longer side of a drawing of unknown size
PEN = 24  # pixels, the stroke's width: scaled down with such a drawing it is about as thick as MNIST's
USUAL_PEN = PEN / DRAWN_HEIGHT  # of a drawing's longer side
INK, GROUND = "#ffffff", "#000000"  # the canvas is light on dark, as MNIST
MAX_FILE_BYTES = 10_000_000  # JSON takes up to 50 times its bytes in memory
MAX_DRAWINGS = 10_000
CURVE_POINTS = 4  # for each curve of the canvas
REACH = 100  # sides of the canvas: nobody moves strokes farther off by hand

Point = tuple[float, float]
# FailFast: a list of all errors would take more memory than the file.
Stroke = Annotated[list[Point], FailFast(), Field(min_length=1, max_length=10_000)]


_Read = TypeVar("_Read")


class DrawingError(CnnLabError, ValueError):
    """Report a drawing that cannot be read; the message says why."""


class Drawing(BaseModel):
    """Hold pen strokes as points, x to the right, y down, in any unit, and the pen's width in the same unit.

    The default width is in proportion to the drawing's longer side, like the canvas's usual pen.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    strokes: Annotated[list[Stroke], FailFast(), Field(min_length=1, max_length=1_000)]
    pen: float = Field(gt=0, default_factory=lambda given: _usual_pen(given["strokes"]))

    def without(self, stroke: int) -> Drawing | None:
        """Return the drawing without the stroke of that index; None if it has no other."""
        others = [*self.strokes[:stroke], *self.strokes[stroke + 1 :]]
        return self.model_copy(update={"strokes": others}) if others else None


class LabelledDrawing(Drawing):
    """Hold a drawing and the class that its author gives it."""

    label: Annotated[str, Field(min_length=1, max_length=40, validation_alias=AliasChoices("label", "digit"))]

    model_config = ConfigDict(coerce_numbers_to_str=True)


def _usual_pen(strokes: Sequence[Sequence[Point]]) -> float:
    """Return the width of the canvas's pen for a drawing of this size, or for a dot, which has no size."""
    axes = zip(*(point for stroke in strokes for point in stroke), strict=True)
    # Multiplied before they are subtracted: the difference of two huge numbers can be infinite.
    return max(max(values) * USUAL_PEN - min(values) * USUAL_PEN for values in axes) or USUAL_PEN


def read_drawings(content: bytes) -> list[Drawing]:
    """Read a JSON list of drawings ``[{"strokes": [[[x, y], …], …]}, …]``. Raises DrawingError if it is none."""
    return _read(content, TypeAdapter(Annotated[list[Drawing], FailFast(), Field(max_length=MAX_DRAWINGS)]))


def read_labelled_drawings(content: bytes) -> list[LabelledDrawing]:
    """Read the same list with a ``"label"`` (or ``"digit"``) for each. Raises DrawingError if it is none."""
    return _read(content, TypeAdapter(Annotated[list[LabelledDrawing], FailFast(), Field(max_length=MAX_DRAWINGS)]))


def write_labelled_drawings(lessons: Sequence[LabelledDrawing]) -> bytes:
    """Write labelled drawings as JSON for ``read_labelled_drawings``."""
    return TypeAdapter(list[LabelledDrawing]).dump_json(list(lessons))


def rounded(drawing: Drawing) -> Drawing:
    """Round a drawing of the canvas to a ten-thousandth of the canvas's side, so that files stay short."""
    strokes = [[(round(x, 4), round(y, 4)) for x, y in stroke] for stroke in drawing.strokes]
    return Drawing(strokes=strokes, pen=round(drawing.pen, 4))


def _read(content: bytes, form: TypeAdapter[_Read]) -> _Read:
    if len(content) > MAX_FILE_BYTES:
        raise DrawingError(f"the file is larger than {MAX_FILE_BYTES // 1_000_000} MB")
    try:
        return form.validate_json(plain_json(content))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise DrawingError(": ".join(filter(None, ("no JSON list of drawings", where, first["msg"])))) from error


def from_canvas(content: Mapping[str, Any] | None) -> Drawing | None:
    """Convert a canvas's content from fabric.js to shares of the canvas's side; None if nothing is drawn.

    Raises DrawingError if the canvas cannot have sent it.
    """
    try:
        objects = [thing for thing in (content or {}).get("objects", []) if thing.get("path")]
        if not objects:
            return None
        strokes = [_path_points(thing) for thing in objects]
        widths = [thing["strokeWidth"] * abs(thing.get("scaleX", 1)) for thing in objects]
        if any(abs(value) > REACH for stroke in strokes for point in stroke for value in point):
            raise DrawingError("the canvas sent strokes from far beyond its sides")
        return Drawing(strokes=strokes, pen=sum(widths) / len(widths) / CANVAS)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DrawingError("the canvas sent what is no drawing") from error


def to_canvas(drawing: Drawing) -> dict[str, Any]:
    """Convert a drawing, in shares of the canvas's side, to the canvas's content for fabric.js."""
    return {"objects": [_canvas_path(stroke, drawing.pen) for stroke in drawing.strokes]}


def _canvas_path(stroke: Sequence[tuple[float, float]], pen: float) -> dict[str, Any]:
    points = [(x * CANVAS, y * CANVAS) for x, y in stroke]
    lines = [["L", *point] for point in points[1:] or points]
    return {
        "type": "Path",
        "originX": "center",
        "originY": "center",
        "left": _middle([x for x, _ in points]),
        "top": _middle([y for _, y in points]),
        "fill": None,
        "stroke": INK,
        "strokeWidth": pen * CANVAS,
        "strokeLineCap": "round",
        "strokeLineJoin": "round",
        "path": [["M", *points[0]], *lines],
    }


def _path_points(thing: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Return the points of one of the canvas's paths after the user moved, scaled or turned it."""
    points: list[tuple[float, float]] = []
    for command, *numbers in thing["path"]:
        if command == "Q":  # a quadratic curve by its control point and its end
            (x0, y0), (x1, y1, x2, y2) = points[-1], numbers
            for share in (step / CURVE_POINTS for step in range(1, CURVE_POINTS + 1)):
                weights = (1 - share) ** 2, 2 * share * (1 - share), share**2
                points.append((_mixed(weights, (x0, x1, x2)), _mixed(weights, (y0, y1, y2))))
        else:  # M and L, to a point
            points.append((numbers[0], numbers[1]))
    # fabric.js keeps the points as drawn; the middle of the path's box says where it lies now.
    middle_x, middle_y = (_middle([point[axis] for point in points]) for axis in (0, 1))
    turn = radians(thing.get("angle", 0))
    placed = []
    for x, y in points:
        across, down = (x - middle_x) * thing.get("scaleX", 1), (y - middle_y) * thing.get("scaleY", 1)
        right, low = across * cos(turn) - down * sin(turn), across * sin(turn) + down * cos(turn)
        placed.append(((thing["left"] + right) / CANVAS, (thing["top"] + low) / CANVAS))
    return placed


def _mixed(weights: tuple[float, ...], values: tuple[float, ...]) -> float:
    return sum(weight * value for weight, value in zip(weights, values, strict=True))


def _middle(values: list[float]) -> float:
    return (min(values) + max(values)) / 2
