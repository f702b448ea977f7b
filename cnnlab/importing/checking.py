"""A network that was taken in must answer as its file does."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.data.batches import Standardise
from cnnlab.importing.foreign_file import ForeignError
from cnnlab.importing.layer_list import Gives
from cnnlab.importing.metadata import Described
from cnnlab.importing.onnx_graph import Graph, Numbers
from cnnlab.importing.probing import FAILURES, answered, part_of
from cnnlab.networks.layers import Shape
from cnnlab.runs.trained import Trained

TOLERANCE = 1e-4  # of the largest answer
MAX_BATCH = 64
IMAGES = 6  # random ones, at least; noise, half of it smooth, as sharp noise alone may drown in a deep network

_AFTER: dict[Gives, Any] = {
    "logits": lambda logits: logits,
    "probabilities": lambda logits: logits.softmax(1),
    "log-probabilities": lambda logits: logits.log_softmax(1),
}


def check_answers(graph: Graph, gives: Gives, trained: Trained, file_input: Standardise | None) -> float:
    """Compare the network with its file on random images, and return the largest difference, of the largest answer.

    ``file_input`` scales pixels to what the file takes; None where it takes bytes. Raises ForeignError where the two
    differ, or the file cannot be run.
    """
    at_once = graph.shape[0] or IMAGES
    if not 0 < at_once <= MAX_BATCH:
        raise ForeignError(f"the file takes {at_once} images at once, and {MAX_BATCH} are the most: export it for any")
    images = _noise(trained.shape, -(-IMAGES // at_once) * at_once)
    fed: Numbers = (images if file_input is None else file_input.inputs(images)).numpy()
    model = part_of(graph, graph.given, graph.result, trained.shape)
    try:
        batches = [answered(model, {graph.given: fed[at : at + at_once]}) for at in range(0, len(fed), at_once)]
    except FAILURES as error:
        raise ForeignError(f"ONNX Runtime cannot run the file ({' '.join(str(error).split())[:200]})") from error
    theirs = torch.from_numpy(np.concatenate(batches)).float().reshape(len(images), -1)
    return compared(_AFTER[gives](trained.logits(images)), theirs, "random images")


def check_examples(described: Described, trained: Trained) -> None:
    """Compare the network's answers with those that the file tells of its examples. Raises ForeignError."""
    if examples := described.answers():
        images, answers = examples
        compared(trained.probabilities(images), answers, "the file's own examples")


def compared(ours: Tensor, theirs: Tensor, what: str) -> float:
    """Return the largest difference, as a share of the largest answer. Raises ForeignError where it is too large."""
    if ours.shape != theirs.shape or not theirs.isfinite().all() or not ours.isfinite().all():
        raise ForeignError(f"on {what} the file's answers are not finite, or not one for each class")
    difference = float((ours - theirs).abs().max() / theirs.abs().max().clamp(min=1e-30))
    if difference > TOLERANCE:
        raise ForeignError(
            f"taken in, the network would answer otherwise than its file: on {what} by {difference:.1e} of the largest "
            f"answer, and {TOLERANCE:.0e} is allowed; it is written in a way that is not understood here"
        )
    return difference


def _noise(shape: Shape, count: int) -> Tensor:
    draws = torch.Generator().manual_seed(0)
    sharp = torch.randint(0, 256, (count // 2, *shape), generator=draws)
    coarse = torch.rand(count - len(sharp), shape[0], 4, 4, generator=draws)
    smooth = F.interpolate(coarse, shape[1:], mode="bilinear")
    return torch.cat([sharp, (smooth * 255).long()]).to(torch.uint8)
