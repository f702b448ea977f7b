"""Questions as a network's images, and its answers as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor

from cnnlab.analysis.ood import Reading
from cnnlab.drawings.images import read_picture
from cnnlab.drawings.preprocess import network_input, prepare, stroke_ink
from cnnlab.drawings.strokes import DrawingError, read_drawings
from cnnlab.errors import CnnLabError
from cnnlab.export.portable import Preparation


class QuestionError(CnnLabError):
    """A question that cannot be answered; the message says why, ``status`` is HTTP's."""

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Reader:
    """What turns questions into the images of one network."""

    shape: tuple[int, ...]  # (C, H, W)
    preparation: Preparation

    def image(self, kind: str, content: bytes) -> Tensor:
        """Return the image (C, H, W) uint8 that a question is about.

        A picture file is prepared as the app does it; ``application/octet-stream`` are pixels of the network's size,
        one byte each, and JSON has ``pixels`` (nested lists) or ``strokes``. Raises QuestionError.
        """
        try:
            if kind == "application/octet-stream":
                return self._pixels(content)
            return self._of_json(content) if kind == "application/json" else self._picture(content)
        except DrawingError as error:
            raise QuestionError(str(error)) from error

    def _picture(self, content: bytes) -> Tensor:
        how = self.preparation
        return network_input(read_picture(content), self.shape, how == "drawn", how == "light-on-dark").image[0]

    def _pixels(self, content: bytes) -> Tensor:
        if len(content) != prod(self.shape):
            raise QuestionError(f"these are {len(content):,} bytes; the network takes {self._size()}, one byte each")
        return torch.frombuffer(bytearray(content), dtype=torch.uint8).view(self.shape)

    def _of_json(self, content: bytes) -> Tensor:
        try:
            asked = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise QuestionError("this is no JSON", 400) from error
        if isinstance(asked, dict) and "strokes" in asked:
            if self.preparation != "drawn":
                raise QuestionError("this network does not read drawings: send a picture")
            if not asked["strokes"]:
                raise QuestionError("the drawing is empty: a stroke is a list of points [x, y] from 0 to 1")
            (drawing,) = read_drawings(json.dumps([asked]).encode())
            return prepare(stroke_ink(drawing), self.shape[1:])[0]
        if isinstance(asked, dict) and "pixels" in asked:
            return self._numbers(asked["pixels"])
        raise QuestionError('send {"pixels": …} or {"strokes": …}')

    def _numbers(self, pixels: Any) -> Tensor:
        """Convert nested lists of 0…255; those of a grey image may lack the channel."""
        wanted = QuestionError(f"pixels are {self._size()} whole numbers from 0 to 255, in lists of lists")
        try:
            values = torch.tensor(pixels)
        except (ValueError, TypeError, RuntimeError, OverflowError) as error:
            raise wanted from error
        if values.shape == self.shape[1:] and self.shape[0] == 1:
            values = values[None]  # (H, W) → (1, H, W)
        is_whole = not values.is_floating_point() and not values.is_complex() and values.dtype != torch.bool
        if values.shape != self.shape or not is_whole or not ((values >= 0) & (values <= 255)).all():
            raise wanted
        return values.to(torch.uint8)

    def _size(self) -> str:
        return "×".join(str(length) for length in self.shape)


def answer_of(reading: Reading, classes: tuple[str, ...]) -> dict[str, object]:
    """Return an answer as it is sent."""
    return {
        "class": reading.name,
        "probabilities": dict(zip(classes, reading.probabilities, strict=True)),
        "sure": not reading.doubt,
        "doubt": reading.doubt,
    }
