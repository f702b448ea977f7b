from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from cnnlab.data.loading import load
from cnnlab.drawings.preprocess import Ink, network_input, prepare, prepared, stroke_ink
from cnnlab.drawings.strokes import CANVAS, DRAWN_HEIGHT, PEN, Drawing, DrawingError

HOOK = Drawing(strokes=[[(0.0, 0.0), (0.6, 0.0), (0.3, 1.0)]])


def block(top: int, left: int, height: int, width: int) -> Ink:
    ink = np.zeros((CANVAS, CANVAS), np.uint8)
    ink[top : top + height, left : left + width] = 255
    return ink


def test_ink_fills_the_box_and_its_centre_of_mass_is_in_the_middle() -> None:
    image = prepare(stroke_ink(HOOK))[0, 0].double()
    rows, columns = (image > 0).any(1).nonzero(), (image > 0).any(0).nonzero()
    assert int(rows.max() - rows.min()) + 1 == 20
    assert int(columns.max() - columns.min()) + 1 < 20
    centre = [(image.sum(1 - axis) * torch.arange(28)).sum() / image.sum() for axis in (0, 1)]
    assert [float(c) for c in centre] == pytest.approx([13.5, 13.5], abs=0.5)


@pytest.mark.parametrize(("top", "left", "scale"), [(0, 0, 1), (100, 200, 1), (10, 30, 3), (230, 0, 1)])
def test_place_and_size_of_a_drawing_do_not_matter(top: int, left: int, scale: int) -> None:
    expected = prepare(block(50, 50, 40, 20))
    assert torch.equal(prepare(block(top, left, 40 * scale, 20 * scale)), expected)


@pytest.mark.parametrize("pen", [6, 12, 24, 40])
def test_a_pens_width_is_made_the_training_datas(pen: int) -> None:
    steps = prepared(stroke_ink(HOOK.model_copy(update={"pen": pen / DRAWN_HEIGHT})))
    assert steps.thickness == pytest.approx(20 * pen / (DRAWN_HEIGHT + pen), abs=0.25)
    usual = prepare(stroke_ink(HOOK))
    apart = (steps.image.int() - usual.int()).abs().float().mean() / usual.float().mean()
    assert apart < 0.25


def test_what_is_hardly_larger_than_the_network_sees_keeps_its_thickness() -> None:
    image = prepare(block(0, 0, 20, 12))[0, 0]
    assert (int((image > 0).any(1).sum()), int((image > 0).any(0).sum())) == (20, 12)


@pytest.mark.parametrize(("ink", "suspected"), [(block(50, 50, 150, 90), True), (stroke_ink(HOOK), False)])
def test_a_blot_is_suspicious(ink: Ink, suspected: bool) -> None:
    assert bool(prepared(ink).suspicion) == suspected


@pytest.mark.parametrize(("height", "centre"), [(60, (0.2, 0.2)), (120, (0.7, 0.7)), (240, (0.5, 0.5))])
def test_strokes_are_drawn_where_and_as_large_as_asked(height: float, centre: tuple[float, float]) -> None:
    rows, columns = np.nonzero(stroke_ink(HOOK, height, centre) > 127)
    assert rows.max() - rows.min() + 1 == pytest.approx(height * (1 + PEN / DRAWN_HEIGHT), abs=2)
    assert (rows.max() + rows.min()) / 2 == pytest.approx(centre[1] * CANVAS, abs=1.5)
    assert (columns.max() + columns.min()) / 2 == pytest.approx(centre[0] * CANVAS, abs=1.5)


def test_a_blank_drawing_is_told() -> None:
    with pytest.raises(DrawingError, match="nothing drawn"):
        prepare(np.full((CANVAS, CANVAS), 10, np.uint8))


@pytest.mark.parametrize("size", [(28, 28), (16, 16), (20, 32)])
def test_the_networks_own_size_is_made(size: tuple[int, int]) -> None:
    assert prepare(block(5, 5, 90, 90), size).shape == (1, 1, *size)


@pytest.mark.parametrize("pen", [0.05, 0.13, 0.25])
def test_a_part_keeps_the_place_size_and_thickness_it_has_in_the_whole(pen: float) -> None:
    bars = Drawing(strokes=[[(0.0, 0.0), (0.0, 1.0)], [(0.8, 0.0), (0.8, 1.0)]], pen=pen)
    left = bars.without(1)
    assert left
    whole = prepared(stroke_ink(bars))
    part = whole.of_part(stroke_ink(left, whole=bars))
    assert torch.equal(part[..., :14], whole.image[..., :14])
    assert not part[..., 14:].any()
    assert whole.image[..., 14:].any()
    assert not torch.equal(part, prepare(stroke_ink(left)))  # which would be moved to the middle


@pytest.mark.parametrize("size", [(28, 28), (20, 32)])
def test_all_of_a_drawing_is_the_whole_and_none_is_black(size: tuple[int, int]) -> None:
    for ink in (stroke_ink(HOOK), block(9, 9, 20, 10)):  # the second too small to be made even
        whole = prepared(ink, size)
        assert torch.equal(whole.of_part(ink), whole.image)
        assert not whole.of_part(np.zeros_like(ink)).any()


def test_real_digits_are_left_as_they_are() -> None:
    images = load("mnist-sample").test.images[:100]
    again = torch.cat([prepare(image[0].numpy()) for image in images])
    # MNIST was made the same way; cropping at faint ink may move a digit by a pixel.
    alike = [
        max(
            np.corrcoef(image.roll((down, right), (1, 2)).flatten(), other.flatten())[0, 1]
            for down in (-1, 0, 1)
            for right in (-1, 0, 1)
        )
        for image, other in zip(images.float(), again.float(), strict=True)
    ]
    assert np.median(alike) > 0.95


def test_strokes_are_drawn_in_the_middle_with_the_canvas_pen() -> None:
    ink = stroke_ink(Drawing(strokes=[[(0.5, 0.0), (0.5, 1.0)]]))
    rows, columns = np.nonzero(ink > 127)
    assert columns.max() - columns.min() + 1 == pytest.approx(PEN, abs=1)
    assert rows.max() - rows.min() + 1 == pytest.approx(DRAWN_HEIGHT + PEN, abs=2)
    assert columns.mean() == pytest.approx(CANVAS / 2, abs=1)


def test_a_single_dot_is_a_round_spot_as_large_as_a_digit() -> None:
    ink = stroke_ink(Drawing(strokes=[[(0.3, 0.3)]]))
    assert (ink > 127).sum() == pytest.approx(np.pi * ((DRAWN_HEIGHT + PEN) / 2) ** 2, rel=0.01)


@pytest.mark.parametrize("offset", [0.0, -0.5, 3.0])
@pytest.mark.parametrize("unit", [1e-12, 0.2, 280.0, 1e4, 1e300])
def test_strokes_in_any_unit_are_drawn_alike(unit: float, offset: float) -> None:
    strokes = [[(unit * (x + offset), unit * (y + offset)) for x, y in stroke] for stroke in HOOK.strokes]
    apart = stroke_ink(Drawing(strokes=strokes)).astype(int) - stroke_ink(HOOK)
    assert (apart != 0).mean() < 0.01  # a border may fall on the next pixel


@pytest.mark.parametrize("pen", [1e-300, 0.001, 1e300])
def test_no_pen_is_too_thin_or_too_wide_to_leave_ink(pen: float) -> None:
    assert prepare(stroke_ink(HOOK.model_copy(update={"pen": pen}))).max() == 255


@pytest.mark.parametrize("invert", [True, False])
def test_a_photos_polarity_does_not_matter(invert: bool) -> None:
    ink = stroke_ink(HOOK)
    photo = Image.fromarray(255 - ink if invert else ink).convert("RGB")
    assert torch.equal(network_input(photo, (1, 28, 28), is_drawn=True, is_light_on_dark=True).image, prepare(ink))
