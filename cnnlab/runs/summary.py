"""State and results of a run, the user's notes on it, and both in words."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StringConstraints, field_validator, model_validator

from cnnlab.data.datasets import dataset_title
from cnnlab.evaluation.balance import balanced_accuracy, is_imbalanced
from cnnlab.networks.architecture import MAX_LAYERS
from cnnlab.training.config import MAX_EPOCHS, RUN_ID, Extension, RunConfig
from cnnlab.training.machine_kind import MachineKind
from cnnlab.training.titles import what_differs

MAX_THREADS = 1024
MAX_ANCESTORS = 50  # that were trained on different images
MAX_MACHINES = 10  # kinds
Status = Literal["running", "finished", "stopped", "failed", "interrupted"]
Channels = Annotated[int, Field(ge=1, le=64)]
Side = Annotated[int, Field(ge=1, le=1024)]  # pixels
Count = Annotated[int, Field(ge=0, le=10**12)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class Learned(BaseModel):
    """The training images of a run."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    dataset: Annotated[str, Field(max_length=60)]
    validation_fraction: Annotated[float, Field(ge=0.01, le=0.5)]
    held_out_by: Annotated[int, Field(ge=0, le=2**32 - 1)]
    train_fraction: Annotated[float, Field(ge=0.001, le=1)]

    @classmethod
    def of(cls, config: RunConfig) -> Learned:
        """Return the training images that ``config`` chooses."""
        return cls.model_validate({name: getattr(config, name) for name in cls.model_fields})


class Forecast(BaseModel):
    """The validation accuracy that a training was to come to, told before it started; fractions."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    accuracy: Fraction
    low: Fraction  # of the interval
    high: Fraction
    runs: Count  # earlier ones that it was made from

    def holds(self, accuracy: float) -> bool:
        """Tell whether the interval holds the result."""
        return self.low <= accuracy <= self.high


class Summary(BaseModel):
    """State and results of a run, beside its config. Accuracies are fractions; None until known."""

    model_config = ConfigDict(extra="ignore")

    id: Annotated[str, Field(pattern=f"^{RUN_ID.pattern}$")]
    created: datetime
    status: Status = "running"
    classes: tuple[str, ...] = ()
    shape: tuple[Channels, Side, Side] = (1, 1, 1)  # (C, H, W) of its images
    mean: tuple[FiniteFloat, ...] = ()  # per channel, of the standardisation of pixels in 0…1
    std: tuple[Annotated[FiniteFloat, Field(gt=0)], ...] = ()
    parameters: Count = 0
    device: str = ""
    precision: str = ""
    threads: Annotated[int, Field(ge=0, le=MAX_THREADS)] = 0
    # The kinds of machine that it was trained on, the first one first; older runs have none.
    machines: Annotated[tuple[MachineKind, ...], Field(max_length=MAX_MACHINES)] = ()
    epoch: Annotated[int, Field(ge=0, le=MAX_EPOCHS)] = 0  # whose weights were tested
    train_accuracy: Fraction | None = None  # in evaluation mode on plain training images
    validation_accuracy: Fraction | None = None
    test_accuracy: Fraction | None = None
    test_loss: FiniteFloat | None = None
    per_class: dict[str, Fraction] = {}  # test accuracy of each class
    support: dict[str, Count] = {}  # test images of each class
    macro_f1: Fraction | None = None  # of the test images; older runs have none
    seconds: FiniteFloat | None = None  # of training, validation included
    images_per_second: FiniteFloat | None = None
    error: str = ""
    extensions: tuple[Extension, ...] = ()  # epochs beyond its config's
    rates_set: Count = 0  # times that the learning rate was set by hand during training
    # What its ancestors were trained on; their runs may have been deleted.
    ancestors: Annotated[tuple[Learned, ...], Field(max_length=MAX_ANCESTORS)] = ()
    started: Annotated[tuple[Annotated[str, Field(max_length=40)], ...], Field(max_length=MAX_LAYERS)] = ()
    frozen: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""  # digest of the weights of layers that do not learn
    forecast: Forecast | None = None  # made before it started; older runs, branches and first ones have none
    disk_bytes: Count = 0  # of its files when this was written; older runs have none

    @model_validator(mode="after")
    def _fits_together(self) -> Summary:
        channels = self.shape[0] if self.classes else 0
        if (len(self.mean), len(self.std)) != (channels, channels):
            raise ValueError("mean and std have other channels than the images")
        if any(names and names.keys() != set(self.classes) for names in (self.per_class, self.support)):
            raise ValueError("accuracies are of other classes")
        return self

    @property
    def balanced_accuracy(self) -> float | None:
        """The mean test accuracy of the classes that occur; None until known."""
        if not (self.per_class and self.support):
            return None
        recall, support = ([values[name] for name in self.classes] for values in (self.per_class, self.support))
        return balanced_accuracy(recall, [int(images) for images in support])

    @property
    def is_imbalanced(self) -> bool:
        """Whether the classes of its test images are of unequal size, so that accuracy alone may mislead."""
        return is_imbalanced(self.support.values())


class Trial(BaseModel):
    """A run trained to see whether one change helps another run."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run: Annotated[str, Field(pattern=f"^{RUN_ID.pattern}$")]  # the other
    fault: Annotated[str, Field(max_length=40)]
    change: Annotated[str, Field(max_length=200)]  # in words


class About(BaseModel):
    """The user's notes on a run."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: Annotated[str, Field(max_length=100)] = ""  # empty: named by network, data set and time
    tags: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=40)], ...], Field(max_length=20)] = ()
    note: Annotated[str, Field(max_length=5000)] = ""
    pinned: bool = False  # listed first
    colour: Annotated[str, StringConstraints(to_lower=True, pattern="^(#[0-9a-fA-F]{6})?$")] = (
        ""  # in charts; empty: one of the palette
    )
    trial: Trial | None = None

    @field_validator("tags")
    @classmethod
    def _each_once(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(tags))


def title_of(config: RunConfig, summary: Summary, about: About) -> str:
    """Return the title of a run: the user's, else its network, data set, what differs from its recipe, and time."""
    what = f"{config.architecture.title} on {dataset_title(config.dataset)}"
    return about.title or ", ".join(filter(None, (what, config.origin, what_differs(config), started_at(summary))))


def brief_title(config: RunConfig) -> str:
    """Return a title for lists that show data set and time beside: "Quick net, 4 epochs, no augmentation"."""
    return ", ".join(filter(None, (config.architecture.title, config.origin, what_differs(config))))


def how_tested(summary: Summary, looks: int) -> str:
    """Describe in words how a run was tested, and how often its test images were used afterwards."""
    images = f"{sum(summary.support.values()):,} images"
    if looks == 1:
        return f"Tested once, after training, on {images}"
    again = "Tested again after more training" if summary.extensions else "Tested after training"
    besides = f"; looked at {'once' if looks == 2 else f'{looks - 1} times'} more" if looks else ""
    return f"{again}, on {images}{besides}"


def started_at(summary: Summary) -> str:
    """Return when a run was started, in this machine's time zone."""
    return f"{summary.created.astimezone():%d %b %H:%M}"
