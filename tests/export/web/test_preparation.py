from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Page

from cnnlab.drawings.preprocess import network_input, prepared, stroke_ink
from cnnlab.drawings.strokes import Drawing, DrawingError
from cnnlab.networks.layers import Shape
from tests.export.web.engine import open_engine

STROKES = """cases => cases.map(({ strokes, pen, size }) => {
  const { data, thickness, suspicion } = prepareInk(strokeInk(strokes, pen ?? usualPen(strokes)), size)
  return { data: Array.from(data), thickness, suspicion }
})"""
PICTURES = """cases => cases.map(({ width, height, pixels, shape, preparation }) => {
  try {
    return Array.from(preparePicture(pictureOf(width, height, pixels), shape, preparation).data)
  } catch (error) {
    return error.message
  }
})"""
ODD: list[dict[str, Any]] = [
    {"strokes": [[[3.0, 3.0]]], "pen": 1.0},  # a dot
    {"strokes": [[[0.0, 0.0], [0.0, 1.0]]]},  # as thin as can be
    {"strokes": [[[0.0, 0.0], [1.0, 0.0]], [[0.5, -0.5], [0.5, 0.5], [0.5, 0.5]]], "pen": 0.02},
    {"strokes": [[[1e9, 0.0], [2e9, 1e9], [1e9, 2e9]]]},
    {"strokes": [[[0.1, 0.1], [0.9, 0.2], [0.2, 0.8]]], "pen": 0.6},  # a blot
    {"strokes": [[[-5.0, -1.0], [-4.0, -3.5], [-3.0, -1.0], [-5.0, -1.0]]], "pen": 0.3},
]


@pytest.fixture
def engine(new_page: Callable[..., Page]) -> Page:
    return open_engine(new_page())


def assert_prepared_alike(engine: Page, cases: list[dict[str, Any]], size: tuple[int, int] = (28, 28)) -> None:
    found = engine.evaluate(STROKES, [{**case, "size": size} for case in cases])
    for case, there in zip(cases, found, strict=True):
        here = prepared(stroke_ink(Drawing.model_validate(case)), size)
        assert there["data"] == here.image.flatten().tolist()
        assert there["thickness"] == here.thickness
        assert there["suspicion"] == here.suspicion


@pytest.mark.parametrize("size", [(28, 28), (16, 24)])
def test_strokes_become_the_same_pixels(engine: Page, size: tuple[int, int]) -> None:
    assert_prepared_alike(engine, ODD, size)


def test_peoples_drawings_become_the_same_pixels(engine: Page, real_data: Path) -> None:
    drawings = json.loads((real_data / "pen_digits.json").read_text(encoding="utf-8"))
    assert_prepared_alike(engine, [{"strokes": drawing["strokes"]} for drawing in drawings[::6]])


def picture(number: int) -> Image.Image:
    """Paper of some tone with a stroke of another on it; some have a rim."""
    draws = np.random.default_rng(number)
    width, height = (int(length) for length in draws.integers(50, 160, 2))
    ground = draws.integers(0, 256, 3)
    noisy = (ground + draws.normal(0, 3, (height, width, 3))).clip(0, 255).astype(np.uint8)
    image = Image.fromarray(noisy)
    pen = ImageDraw.Draw(image)
    ink = tuple(255 - int(tone) for tone in ground)
    path = [(width * 0.3, height * 0.2), (width * 0.6, height * 0.5), (width * 0.4, height * 0.8)]
    pen.line(path, fill=ink, width=width // 16 + 1)
    if number % 3 == 0:
        pen.rectangle((0, 0, width - 1, height - 1), outline="black", width=int(draws.integers(2, 6)))
    return image


@pytest.mark.parametrize(
    ("preparation", "shape"), [("drawn", (1, 28, 28)), ("light-on-dark", (1, 28, 28)), ("photo", (3, 32, 32))]
)
def test_pictures_become_the_same_pixels(engine: Page, preparation: str, shape: Shape) -> None:
    pictures = [picture(number) for number in range(12)]
    found = engine.evaluate(
        PICTURES,
        [
            {
                "width": image.width,
                "height": image.height,
                "pixels": np.asarray(image).flatten().tolist(),
                "shape": shape,
                "preparation": preparation,
            }
            for image in pictures
        ],
    )
    for image, there in zip(pictures, found, strict=True):
        try:
            here = network_input(image, shape, preparation == "drawn", preparation != "photo").image
        except DrawingError as error:
            assert there == str(error)
        else:
            assert there == here.flatten().tolist()
