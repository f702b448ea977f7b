from __future__ import annotations

import json
from math import hypot

import pytest
from pydantic import ValidationError

from cnnlab.drawings.strokes import (
    CANVAS,
    DRAWN_HEIGHT,
    PEN,
    Drawing,
    DrawingError,
    LabelledDrawing,
    from_canvas,
    read_drawings,
    read_labelled_drawings,
    to_canvas,
)
from tests.samples import SEVEN


def test_drawings_are_read_from_json_with_more_fields_around() -> None:
    content = json.dumps([{"digit": 3, "writer": "x", "strokes": [[[0, 0], [1, 1]]]}]).encode()
    (drawing,) = read_drawings(content)
    assert drawing.strokes == [[(0.0, 0.0), (1.0, 1.0)]]
    assert drawing.pen == PEN / DRAWN_HEIGHT


@pytest.mark.parametrize(("field", "label"), [("digit", 3), ("label", "3")])
def test_lessons_are_drawings_with_what_they_are(field: str, label: object) -> None:
    content = json.dumps([{field: label, "strokes": [[[0, 0], [1, 1]]], "pen": 0.2}]).encode()
    assert read_labelled_drawings(content) == [LabelledDrawing(strokes=[[(0, 0), (1, 1)]], pen=0.2, label="3")]


def test_lessons_are_written_as_they_are_read() -> None:
    lesson = LabelledDrawing(strokes=SEVEN.strokes, label="7")
    assert read_labelled_drawings(json.dumps([lesson.model_dump()]).encode()) == [lesson]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_drawings_are_read_behind_a_byte_order_mark(encoding: str) -> None:
    lesson = LabelledDrawing(strokes=[[(0, 0), (1, 1)]], label="ä")
    text = json.dumps([lesson.model_dump()], ensure_ascii=False)
    assert read_labelled_drawings(text.encode(encoding)) == [lesson]
    assert len(read_drawings(text.encode(encoding))) == 1


def test_a_drawing_without_a_label_is_no_lesson() -> None:
    with pytest.raises(DrawingError, match="label"):
        read_labelled_drawings(b'[{"strokes": [[[0, 0], [1, 1]]]}]')


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[1]",
        b"not json",
        b'[{"strokes": []}]',
        b'[{"strokes": [[]]}]',
        b'[{"strokes": [[[0]]]}]',
        b'[{"strokes": [[[0, NaN]]]}]',
        b'[{"strokes": [[[0, 1e999]]]}]',
        b'[{"strokes": [[[0, 0]]], "pen": -1e999}]',
        b'[{"strokes": [[[0, 0]]], "pen": 0}]',
        b"[" * 10_000,
        b"[" + b",".join([b'{"strokes":[[[0,0]]]}'] * 10_001) + b"]",
    ],
    ids=lambda content: str(content[:30]),
)
def test_what_is_no_list_of_drawings_is_told_in_one_line(content: bytes) -> None:
    with pytest.raises(DrawingError, match="no JSON list of drawings") as refusal:
        read_drawings(content)
    assert "\n" not in str(refusal.value)


def test_a_file_too_large_is_refused_unread() -> None:
    with pytest.raises(DrawingError, match="larger than 10 MB"):
        read_drawings(b" " * 10_000_001)


def test_what_a_canvas_was_given_comes_back() -> None:
    drawing = Drawing(strokes=[[(0.1, 0.2), (0.4, 0.9), (0.5, 0.5)], [(0.7, 0.7), (0.7, 0.7)]], pen=0.1)
    back = from_canvas(to_canvas(drawing))
    assert back
    assert back.pen == pytest.approx(drawing.pen)
    for stroke, expected in zip(back.strokes, drawing.strokes, strict=True):
        assert [point for pair in stroke for point in pair] == pytest.approx([p for pair in expected for p in pair])


def test_a_canvas_curve_is_followed() -> None:
    """A quadratic curve through a quarter of a circle stays within a hundredth of it."""
    radius = 100.0
    corner = radius * (2**0.5 - 1)  # control points at the tangents' crossings of two eighths
    middle = radius / 2**0.5
    path = [["M", radius, 0], ["Q", radius, corner, middle, middle], ["Q", corner, radius, 0, radius]]
    box = {"left": radius / 2, "top": radius / 2, "strokeWidth": 24, "path": path}
    drawing = from_canvas({"objects": [box]})
    assert drawing
    distances = [hypot(x, y) * CANVAS for x, y in drawing.strokes[0]]
    assert distances == pytest.approx([radius] * len(distances), rel=0.02)


def test_a_stroke_that_was_moved_scaled_and_turned_by_hand_lies_where_it_is_seen() -> None:
    path = [["M", 0, 0], ["L", 100, 0]]
    moved = {"left": 140, "top": 70, "scaleX": 0.5, "scaleY": 0.5, "angle": 90, "strokeWidth": 20, "path": path}
    drawing = from_canvas({"objects": [moved]})
    assert drawing
    assert drawing.pen == pytest.approx(10 / CANVAS)
    (x0, y0), (x1, y1) = drawing.strokes[0]
    assert (x0 * CANVAS, y0 * CANVAS, x1 * CANVAS, y1 * CANVAS) == pytest.approx((140, 45, 140, 95))


@pytest.mark.parametrize("offset", [0.0, -0.5, 3.0])
@pytest.mark.parametrize("unit", [1e-12, 0.2, 1.0, 280.0, 1e4, 1e300])
def test_drawings_are_read_in_any_unit_with_a_pen_in_proportion(unit: float, offset: float) -> None:
    strokes = [[[unit * (x + offset), unit * (y + offset)] for x, y in stroke] for stroke in SEVEN.strokes]
    for reader in (read_drawings, read_labelled_drawings):
        (drawing,) = reader(json.dumps([{"strokes": strokes, "label": "7"}]).encode())
        assert drawing.pen == pytest.approx(0.56 * unit * PEN / DRAWN_HEIGHT)  # the seven is 0.56 high


@pytest.mark.parametrize("place", [0.0, 140.0, -1e308])
def test_a_dots_pen_is_as_wide_as_it_can_be_told(place: float) -> None:
    (drawing,) = read_drawings(json.dumps([{"strokes": [[[place, place]]]}]).encode())
    assert drawing.pen == PEN / DRAWN_HEIGHT


@pytest.mark.parametrize("content", [None, {}, {"objects": []}])
def test_an_empty_canvas_holds_no_drawing(content: dict[str, object] | None) -> None:
    assert from_canvas(content) is None


BROKEN: tuple[object, ...] = ([["Q", 1, 2, 3, 4]], [["M"]], [["M", "a", "b"]], "M 0 0", [["M", 0, 0], ["L", 1e9, 0]])


@pytest.mark.parametrize("path", BROKEN, ids=str)
def test_what_no_canvas_sends_is_told(path: object) -> None:
    with pytest.raises(DrawingError, match="no drawing"):
        from_canvas({"objects": [{"path": path, "left": 0, "top": 0, "strokeWidth": 24}]})


def test_a_drawing_less_a_stroke_keeps_the_others() -> None:
    two = Drawing(strokes=[[(0, 0), (1, 0)], [(0, 1), (1, 1)]], pen=0.3)
    less = two.without(0)
    assert less
    assert (less.strokes, less.pen) == ([[(0, 1), (1, 1)]], 0.3)
    assert less.without(0) is None


def test_of_many_wrong_points_only_the_first_is_told() -> None:
    wrong = b"[" + b",".join([b"1"] * 1_000) + b"]"
    with pytest.raises(DrawingError, match=r"0\.strokes\.0\.0: Input should be a valid") as refusal:
        read_drawings(b'[{"strokes":[' + b",".join([wrong] * 10) + b"]}, 1, 2, 3]")
    assert isinstance(refusal.value.__cause__, ValidationError)
    assert refusal.value.__cause__.error_count() == 2  # the point, and the pen that it leaves without a measure


def test_what_is_wrong_with_the_whole_list_needs_no_place() -> None:
    with pytest.raises(DrawingError, match="drawings: Input should be a valid"):
        read_drawings(b"{}")
