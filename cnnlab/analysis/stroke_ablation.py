"""Stroke ablation: how a prediction changes when each stroke of a drawing is erased in turn."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from scipy.ndimage import maximum_filter
from torch import Tensor

from cnnlab.drawings.preprocess import Ink, prepared, stroke_ink
from cnnlab.drawings.strokes import Drawing, Point, Stroke

PIECES = 8  # of a drawing whose strokes are cut
SHORTEST = 2  # widths of the pen, whose round ends cover half a width of what is erased on either side
ROUGH = 2  # pixels of the canvas by which a line may be drawn otherwise once it is cut


@dataclass(frozen=True)
class Effect:
    """The effect of one stroke on a class."""

    support: float  # log-odds of the class with the stroke less those without it, in nats
    probability: float  # of the class without it
    answer: int  # what the drawing is read as without it
    confidence: float  # probability of that


def in_pieces(drawing: Drawing, count: int = PIECES) -> Drawing:
    """Cut the long strokes of a drawing into pieces of equal length, about ``count`` in all.

    No piece is shorter than two widths of the pen, unless its stroke is.
    """
    lengths = [float(_along(stroke)[-1]) for stroke in drawing.strokes]
    piece = max(sum(lengths) / count, SHORTEST * drawing.pen)
    strokes = [
        part
        for stroke, length in zip(drawing.strokes, lengths, strict=True)
        for part in _cut(stroke, max(1, int(length / piece + 1e-6)))
    ]
    return drawing.model_copy(update={"strokes": strokes})


def erased(drawing: Drawing, pieces: Drawing, size: tuple[int, int]) -> Tensor:
    """Render the drawing, then the drawing without each of its ``pieces`` in turn: (pieces + 1, 1, H, W) uint8.

    The rest is centred and scaled as the whole is, so that only the piece's ink is missing. ``pieces`` is the
    drawing itself or the result of ``in_pieces``.
    """
    ink = stroke_ink(drawing)
    whole = prepared(ink, size)
    images = [whole.image]
    for number, piece in enumerate(pieces.strokes):
        alone, rest = pieces.model_copy(update={"strokes": [piece]}), pieces.without(number)
        rest_ink = stroke_ink(rest, whole=drawing) if rest else np.zeros_like(ink)
        images.append(whole.of_part(_less(ink, stroke_ink(alone, whole=drawing), rest_ink)))
    return torch.cat(images)


def effects(logits: Tensor, label: int) -> list[Effect]:
    """Compute each piece's effect on class ``label`` from the logits (pieces + 1, classes) of the ``erased`` images."""
    whole, less = logits[:1], logits[1:]
    probabilities = less.softmax(1)
    confidences, answers = probabilities.max(1)
    support = _log_odds(whole, label) - _log_odds(less, label)
    columns = (support, probabilities[:, label], answers, confidences)
    return [Effect(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def halfway(stroke: Stroke) -> Point:
    """Find the point halfway along a stroke."""
    along = _along(stroke)
    across, down = (float(np.interp(along[-1] / 2, along, axis)) for axis in np.array(stroke).T)
    return across, down


def _log_odds(logits: Tensor, label: int) -> Tensor:
    """Compute log(p / (1 − p)) of a class, also where p rounds to 1: (N, classes) → (N,)."""
    others = torch.cat([logits[:, :label], logits[:, label + 1 :]], 1)
    return logits[:, label] - others.logsumexp(1)


def _less(ink: Ink, piece: Ink, rest: Ink) -> Ink:
    """Remove a piece from the ink: where the piece lies, keep only the ink of the rest."""
    beside = maximum_filter(piece, 2 * ROUGH + 1) == 0
    return np.where(beside, ink, np.minimum(ink, rest))


def _along(stroke: Stroke) -> npt.NDArray[np.float64]:
    """Compute the distance along a stroke from its start to each of its points."""
    steps = np.linalg.norm(np.diff(np.array(stroke), axis=0), axis=1)
    return np.concatenate([[0.0], steps.cumsum()])


def _cut(stroke: Stroke, count: int) -> list[Stroke]:
    """Cut a stroke into ``count`` pieces of equal length, each starting where the one before ends."""
    if count == 1:
        return [stroke]
    along, (across, down) = _along(stroke), np.array(stroke).T
    ends = np.linspace(0, along[-1], count + 1).tolist()
    cuts = zip(np.interp(ends, along, across).tolist(), np.interp(ends, along, down).tolist(), strict=True)
    ways = list(zip(along.tolist(), stroke, strict=True))
    return [
        [first, *(point for way, point in ways if start < way < end), last]
        for (start, end), (first, last) in zip(pairwise(ends), pairwise(cuts), strict=True)
    ]
