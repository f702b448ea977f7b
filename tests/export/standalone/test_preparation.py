"""The plain Python that leaves the lab prepares pictures as the app does, to the pixel."""

from __future__ import annotations

import json
import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from cnnlab.drawings.images import read_picture as read_by_app
from cnnlab.drawings.preprocess import network_input, stroke_ink
from cnnlab.drawings.strokes import Drawing
from cnnlab.export.standalone.drawn import EmptyError
from cnnlab.export.standalone.picture import SIGNATURE, PictureError, read_picture
from cnnlab.export.standalone.preparation import network_pixels
from tests.conftest import ROOT
from tests.data.pictures.photos import saved, scene
from tests.samples import SEVEN

PREPARATIONS = {"drawn": (True, True), "light-on-dark": (False, True), "photo": (False, False)}


def assert_prepared_alike(content: bytes, how: str, shape: tuple[int, int, int]) -> None:
    channels, height, width = shape
    here = network_input(read_by_app(content), shape, *PREPARATIONS[how]).image[0].numpy()
    there = np.array(network_pixels(read_picture(content), how, channels, width, height))
    assert there.shape == here.shape
    assert np.array_equal(here, there)


def drawn(drawing: Drawing, rim: int = 0) -> Image.Image:
    """Dark ink on paper, with the rim of a scanner if wanted."""
    image = Image.fromarray(255 - stroke_ink(drawing) // 2)
    if rim:
        pixels = np.asarray(image).copy()
        pixels[:rim] = pixels[-rim:] = pixels[:, :rim] = pixels[:, -rim:] = 10
        image = Image.fromarray(pixels)
    return image


PICTURES = {
    "ink on paper": drawn(SEVEN),
    "with a rim": drawn(SEVEN, rim=3),
    "light on dark": Image.fromarray(stroke_ink(SEVEN)),
    "small": drawn(SEVEN).resize((31, 26)),
    "colour": scene(3, 90),
    "wide": scene(4, 64).resize((150, 40)),
    "a palette": scene(5, 50).quantize(16),
    "grey": scene(6, 33, grey=True).convert("L"),
}


@pytest.mark.parametrize("how", PREPARATIONS)
@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 24)], ids=str)
def test_a_picture_is_prepared_alike(how: str, picture: str, shape: tuple[int, int, int]) -> None:
    if how == "drawn":
        shape = (1, *shape[1:])
    content = saved(PICTURES[picture])
    assert_prepared_alike(content, how, shape)


def tilted() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return exif


def see_through(ink: int) -> Image.Image:
    image = Image.new("LA", (150, 140), (ink, 0))
    image.putalpha(drawn(SEVEN).point(lambda tone: 255 - tone).resize(image.size))
    return image


SHADES = np.linspace(0, 4095, 40 * 40).reshape(40, 40)
RARE = {
    "lies on its side": saved(drawn(SEVEN), exif=tilted()),
    "white ink on nothing": saved(see_through(255)),
    "black ink on nothing": saved(see_through(0)),
    "16 bits": saved(Image.fromarray((16 * SHADES).astype(np.uint16))),
    "12 bits": saved(Image.fromarray(SHADES.astype(np.uint16))),
    "floats": saved(Image.fromarray((SHADES / 4095).astype(np.float32)), "TIFF"),
}


@pytest.mark.parametrize("picture", RARE)
@pytest.mark.parametrize("how", PREPARATIONS)
def test_rare_kinds_are_prepared_alike(how: str, picture: str) -> None:
    assert_prepared_alike(RARE[picture], how, (1, 28, 28))


def headed(width: int, height: int, kind: int) -> bytes:
    """Write a PNG of 8 bits that says so, with a few pixels and no palette."""
    chunks = {b"IHDR": struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0), b"IDAT": zlib.compress(bytes(99))}
    written = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks.items()
    )
    return SIGNATURE + b"".join(written)


def test_real_pen_drawings_are_prepared_alike() -> None:
    path = ROOT.parent / "shared" / "data" / "pen_digits.json"
    if not path.exists():
        pytest.skip(f"no pen drawings in {path.parent}")
    for digit in json.loads(path.read_text(encoding="utf-8"))[::60]:
        content = saved(Image.fromarray(stroke_ink(Drawing(strokes=digit["strokes"]))))
        assert_prepared_alike(content, "drawn", (1, 28, 28))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no picture"),
        (b"no picture at all", "no picture"),
        (headed(0, 5, 0), "damaged"),
        (headed(5, 0, 0), "damaged"),
        (headed(5, 5, 9), "damaged"),
        (headed(5, 5, 3), "damaged"),
        (headed(2**31 - 1, 2**31 - 1, 16), "damaged|make it smaller"),
        (saved(Image.new("1", (20_000, 20_000)), "TIFF", compression="group4"), "too large"),
        (saved(scene(1))[:200], "damaged|ends too early"),
        (saved(scene(1), "JPEG")[:200], "no picture"),
    ],
)
def test_what_cannot_be_read_is_told(content: bytes, reason: str) -> None:
    with pytest.raises(PictureError, match=reason):
        read_picture(content)


def test_a_large_picture_is_refused_before_it_is_decoded() -> None:
    buffer = BytesIO()
    Image.new("L", (5000, 5000)).save(buffer, "PNG")
    with pytest.raises(PictureError, match="5000×5000 pixels"):
        read_picture(buffer.getvalue())


def test_an_empty_sheet_is_told() -> None:
    with pytest.raises(EmptyError, match="nothing drawn"):
        network_pixels(read_picture(saved(Image.new("RGB", (60, 60), "white"))), "drawn", 1, 28, 28)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_other_kinds_are_read_by_pillow_where_it_is(kind: str, tmp_path: Path) -> None:
    content = saved(scene(2).convert("RGBA") if kind == "PNG" else scene(2), kind)
    assert np.array_equal(np.array(read_picture(content)).transpose(1, 2, 0), np.asarray(read_by_app(content)))
