"""Characters on made photos of paper: found, in reading order, and read as when they are not photographed."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from cnnlab.data.loading import load
from cnnlab.data.splits import Split
from cnnlab.drawings.images import read_picture
from cnnlab.drawings.page import MAX_CHARACTERS, find_characters
from cnnlab.drawings.preprocess import prepare, stroke_ink
from cnnlab.drawings.strokes import Drawing, DrawingError
from tests.drawings.photos import Paper, Photo, of_classes, photographed

LINES = ([3, 1, 4], [1, 5], [9, 2, 6, 5])
BROKEN_FIVE = Drawing(
    strokes=[[(0.1, 0.12), (0.1, 0.45), (0.6, 0.6), (0.5, 1.0), (0.0, 1.0)], [(0.2, 0.0), (0.7, 0.0)]], pen=0.06
)
ORIENTATION = 0x0112  # EXIF


@pytest.fixture(scope="module")
def digits() -> Split:
    return load("mnist-sample").test


def taken(
    digits: Split, paper: Paper, lines: tuple[list[int], ...] = LINES, height: float = 60, seed: int = 0
) -> Photo:
    inks = [of_classes(digits, line, number + seed) for number, line in enumerate(lines)]
    return photographed(inks, height, paper, np.random.default_rng(seed))


@pytest.mark.parametrize(
    "paper",
    [
        Paper(),
        Paper(dim=0.35, shadow=0.5, noise=6),
        Paper(blur=2, quality=40, pen=0.5),
        Paper(angle=12),
        Paper(angle=-12),
        Paper(is_chalk=True),
        Paper(table=0.2, angle=8),
        Paper(ruled="ruled", angle=3),
        Paper(ruled="squared", rule=0.15),
    ],
    ids=str,
)
def test_digits_are_found_in_reading_order(digits: Split, paper: Paper) -> None:
    photo = taken(digits, paper)
    sheet = find_characters(photo.image)
    assert photo.order([character.box for character in sheet.characters]) == list(range(9))
    assert [character.line for character in sheet.characters] == [0] * 3 + [1] * 2 + [2] * 4
    assert sheet.angle == pytest.approx(-paper.angle, abs=4)
    assert sheet.found == 9


def test_a_found_digit_looks_as_the_one_that_was_written(digits: Split) -> None:
    sheet = find_characters(taken(digits, Paper(angle=-5, shadow=0.6)).image)
    written = [ink for number, line in enumerate(LINES) for ink in of_classes(digits, line, number)]
    for character, ink in zip(sheet.characters, written, strict=True):
        found, meant = (prepare(pixels).double().flatten() for pixels in (character.ink, ink))
        assert torch.corrcoef(torch.stack([found, meant]))[0, 1] > 0.75


def enlarged(digits: Split, number: int) -> Image.Image:
    """A test digit, light on black, as large as a picture."""
    return Image.fromarray(digits.images[number, 0].numpy()).resize((280, 280), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("is_dark", [False, True])
def test_a_digit_as_large_as_its_picture_is_one_and_no_sheet(digits: Split, is_dark: bool) -> None:
    for number in range(40):
        picture = enlarged(digits, number)
        found = find_characters(ImageOps.invert(picture) if is_dark else picture).characters
        assert len(found) == 1
        box = [*found[0].box.min(0), *found[0].box.max(0)]
        assert box == pytest.approx(picture.getbbox(), abs=20)


def test_a_scanners_thin_rim_is_no_ink(digits: Split) -> None:
    for number in range(20):
        scan = ImageOps.expand(ImageOps.invert(enlarged(digits, number)), 2, fill=0)
        assert len(find_characters(scan).characters) == 1


def test_a_sheet_on_a_ground_without_any_grain_is_still_cut_out(digits: Split) -> None:
    photo = taken(digits, Paper())
    image = ImageOps.expand(photo.image, photo.image.width // 10, fill=0)
    assert len(find_characters(image).characters) == 9


def test_nearly_all_of_many_photos_are_right(digits: Split) -> None:
    rng = np.random.default_rng(0)
    right = 0
    for seed in range(20):
        lines = tuple(rng.integers(0, 10, rng.integers(1, 5)).tolist() for _ in range(rng.integers(1, 4)))
        photo = taken(digits, replace(Paper.at_random(rng), ruled="plain"), lines, rng.uniform(45, 120), seed)
        found = find_characters(photo.image).characters
        right += photo.order([character.box for character in found]) == list(range(len(photo.centres)))
    assert right >= 19


def test_the_bar_of_a_five_belongs_to_it_and_specks_to_nothing(digits: Split) -> None:
    photo = photographed([[stroke_ink(BROKEN_FIVE)] * 3], 80, Paper(angle=4), np.random.default_rng(0))
    pixels = np.array(photo.image)
    pixels[5:9, 5:9] = 0
    found = find_characters(Image.fromarray(pixels)).characters
    assert photo.order([character.box for character in found]) == [0, 1, 2]


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_photo_is_turned_as_its_camera_was_held(digits: Split, orientation: int) -> None:
    photo = taken(digits, Paper())
    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}[orientation]
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    buffer = BytesIO()
    photo.image.transpose(turn).save(buffer, "JPEG", exif=exif)
    sheet = find_characters(read_picture(buffer.getvalue()))
    assert sheet.size == photo.image.size
    assert photo.order([character.box for character in sheet.characters]) == list(range(9))


def test_boxes_are_in_the_pixels_of_a_photo_of_any_size(digits: Split) -> None:
    photo = taken(digits, Paper())
    large = find_characters(photo.image.resize([5 * side for side in photo.image.size]))
    assert photo.order([character.box / 5 for character in large.characters]) == list(range(9))


def test_only_so_many_characters_are_taken(digits: Split) -> None:
    sheet = find_characters(taken(digits, Paper(), tuple(list(range(10)) for _ in range(7)), 36).image)
    assert len(sheet.characters) == MAX_CHARACTERS
    assert sheet.found == 70


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (28, 28), (400, 300)])
@pytest.mark.parametrize("light", [0, 130, 255])
def test_an_empty_sheet_has_no_characters(size: tuple[int, int], light: int) -> None:
    with pytest.raises(DrawingError, match="no writing found"):
        find_characters(Image.new("L", size, light))


def test_a_pattern_is_no_writing() -> None:
    pixels = np.kron(np.random.default_rng(0).integers(0, 256, (150, 110)), np.ones((8, 8)))
    with pytest.raises(DrawingError, match="too rough"):
        find_characters(Image.fromarray(pixels.astype(np.uint8)))
