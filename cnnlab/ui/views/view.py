"""The data that every view of Inside receives, and its figures with downloads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from cnnlab.drawings.strokes import Drawing
from cnnlab.runs.run import Run
from cnnlab.runs.trained import Trained
from cnnlab.text import percent


@dataclass(frozen=True)
class Picked:
    """The image that the views explain."""

    pixels: Tensor  # (1, C, H, W) uint8
    title: str
    drawing: Drawing | None = None  # its strokes, if it was drawn
    is_own: bool = False  # the user's, so it may show anything
    label: int | None = None  # its class, where that is known


@dataclass(frozen=True)
class Look:
    """A run at one of its epochs, and an image where the view needs one."""

    run: Run
    trained: Trained
    epochs: Sequence[int]  # with weights on disk
    image: Picked | None = None
    doubt: str = ""  # why the network's answer to the image is not to be believed

    @property
    def at(self) -> str:
        """An id of run and epoch for widget keys and file names."""
        return f"{self.run.id}.{self.trained.epoch}"

    @property
    def picked(self) -> Picked:
        """The image. Raises ValueError in a view that did not declare that it needs one."""
        if self.image is None:
            raise ValueError("this view did not ask for an image")
        return self.image

    def named(self, label: int, probabilities: Tensor) -> str:
        """Name a class with its probability; where the answer is in doubt, without, as it means nothing."""
        name = self.trained.classes[label]
        return name if self.doubt else f"{name} ({percent(float(probabilities[label]))})"


@dataclass(frozen=True)
class View:
    """A view: the question it answers, the function that shows it, and what it needs and takes."""

    question: str
    show: Callable[[Look], None]
    group: str = ""  # of the page's views
    needs_image: bool = False
    takes_published: bool = False  # whether it explains a network that answers with other classes than its data set's
    formerly: str = ""  # its name in older links
