"""Labelled drawings as images of a data set's kind, added to its training images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from cnnlab.data.loading import Data
from cnnlab.data.spec import DatasetError, DatasetSpec
from cnnlab.data.splits import Split
from cnnlab.drawings.preprocess import prepare, stroke_ink
from cnnlab.drawings.strokes import LabelledDrawing


def with_labelled_drawings(data: Data, lessons: Sequence[LabelledDrawing], share: float) -> Data:
    """Add ``lessons`` to the training images, repeated in turn until they are ``share`` of all.

    Each is added at least once. Raises DatasetError as ``drawing_images`` does.
    """
    own = drawing_images(lessons, data.spec)
    copies = max(round(share / (1 - share) * len(data.train)), len(own))
    chosen = torch.arange(copies) % len(own)
    images = torch.cat([data.train.images, own.images[chosen]])
    labels = torch.cat([data.train.labels, own.labels[chosen]])
    return replace(data, train=Split(images, labels))


def drawing_images(lessons: Sequence[LabelledDrawing], spec: DatasetSpec) -> Split:
    """Render labelled drawings as images of the data set's kind, in order; raises as ``check_labelled_drawings``."""
    check_labelled_drawings(lessons, spec)
    height, width = spec.shape[1:]
    images = torch.cat([prepare(stroke_ink(lesson), (height, width)) for lesson in lessons])
    return Split(images, torch.tensor([spec.classes.index(lesson.label) for lesson in lessons]))


def check_labelled_drawings(lessons: Sequence[LabelledDrawing], spec: DatasetSpec) -> None:
    """Raise DatasetError where the data set's images are no drawings, or a label is none of its classes."""
    if not spec.is_drawn or spec.shape[0] != 1:
        raise DatasetError(f"{spec.title} has no drawn characters: own drawings cannot be taught beside it")
    unknown = sorted({lesson.label for lesson in lessons} - set(spec.classes))
    if unknown:
        raise DatasetError(f"{spec.title} has no class {unknown[0]!r}: label drawings {', '.join(spec.classes)}")
