from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from PIL import ExifTags, Image

from cnnlab.data.pictures.decoding import decode, fitted, perceptual_hash
from tests.data.pictures.photos import saved, scene


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"])
def test_every_format_is_read_to_about_the_same_pixels(kind: str) -> None:
    plain = decode(saved(scene(1)), 40, "crop")
    read = decode(saved(scene(1), kind), 40, "crop")
    assert read.pixels.shape == (3, 40, 40)
    assert np.abs(read.pixels.astype(int) - plain.pixels).mean() < 12
    assert (read.hash ^ plain.hash).bit_count() <= 6


def test_a_fit_shows_the_middle_or_all() -> None:
    wide = Image.new("RGB", (60, 20), "white")
    wide.paste("red", (20, 0, 40, 20))
    middle, padded, squashed = (np.asarray(fitted(wide, 20, fit)) for fit in ("crop", "pad", "squash"))
    assert (middle == (255, 0, 0)).all()
    assert (padded[0] == 0).all()
    assert (padded[10, 10] == (255, 0, 0)).all()
    assert (squashed[10, 10] == (255, 0, 0)).all()
    assert (squashed[10, 0] == 255).all()


def test_what_the_file_says_is_kept() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:05:04 03:02:01"
    read = decode(saved(scene(1).resize((400, 300)), "JPEG", exif=exif), 32, "crop")
    assert (read.width, read.height) == (300, 400)
    assert read.taken == datetime(2026, 5, 4, 3, 2, 1).timestamp()
    assert read.note == "turned upright"
    assert read.preview.startswith(b"\xff\xd8")


@pytest.mark.parametrize("taken", ["", "yesterday", "0000:00:00 00:00:00"])
def test_a_time_that_is_none_is_unknown(taken: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
    assert decode(saved(scene(1), "JPEG", exif=exif), 32, "crop").taken is None


def test_grey_is_told_from_colour_also_after_jpeg() -> None:
    assert decode(saved(scene(1, grey=True), "JPEG", quality=70), 32, "crop").is_grey
    assert not decode(saved(scene(1), "JPEG", quality=70), 32, "crop").is_grey


def test_a_picture_of_fifty_megapixels_is_read_and_a_larger_one_refused() -> None:
    assert decode(saved(Image.new("L", (7168, 7168), 90)), 32, "crop").width == 7168
    with pytest.raises(Exception, match="send one of at most 7168×7168"):
        decode(saved(Image.new("L", (7169, 7168), 90)), 32, "crop")


def test_a_hash_hardly_changes_with_size_and_much_with_content() -> None:
    one, small, other = scene(1, 300), scene(1, 300).resize((80, 60)), scene(2, 300)
    assert (perceptual_hash(one) ^ perceptual_hash(small)).bit_count() <= 4
    assert (perceptual_hash(one) ^ perceptual_hash(other)).bit_count() > 15
