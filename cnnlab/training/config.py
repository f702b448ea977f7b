"""RunConfig: everything that decides a run, frozen and validated; to and from JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2s
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, FailFast, Field, ValidationError, model_validator

from cnnlab.drawings.strokes import LabelledDrawing
from cnnlab.errors import CnnLabError, first_error
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.operations import MAX_OPERATIONS, Operation, parse_operations
from cnnlab.networks.presets import PRESETS
from cnnlab.pretrained.table import BACKBONES, NETWORKS

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
MAX_EPOCHS = 1000  # of a run, those beyond its config's included
MAX_LESSONS = 500
MAX_EXCLUDED = 100  # training images: an address holds their indices
MAX_POINTS = 300_000  # of all labelled drawings together: a config stays below 20 MB


class ConfigError(CnnLabError, ValueError):
    """A configuration that cannot run; one line that says what is wrong and what is allowed."""


class Parent(BaseModel):
    """The run and the epoch whose weights another run starts from; as text ``id@epoch``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: Annotated[str, Field(pattern=f"^{RUN_ID.pattern}$")]
    epoch: Annotated[int, Field(ge=0, le=MAX_EPOCHS)]  # 0 is before training

    def __str__(self) -> str:
        return f"{self.run}@{self.epoch}"


class Start(BaseModel):
    """Weights that a new network starts from: a backbone's, or a run's as ``id@epoch``; as text ``name@digest``.

    The digest, of what the weights are, is checked before they are used; of a run's it is found when training begins.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=f"^{RUN_ID.pattern}(@[0-9]{{1,4}})?$")]
    digest: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""

    def __str__(self) -> str:
        is_known = self.name in BACKBONES and BACKBONES[self.name].digest == self.digest
        return self.name if is_known or not self.digest else f"{self.name}@{self.digest}"

    @property
    def run(self) -> Parent | None:
        """The run and the epoch whose weights they are; None for a backbone's."""
        run, _, epoch = self.name.rpartition("@")
        return Parent(run=run, epoch=int(epoch)) if run else None


class Extension(BaseModel):
    """Further epochs of a run ``after`` one, and their learning rate, which falls to zero along a cosine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    after: Annotated[int, Field(ge=0, le=MAX_EPOCHS)]
    epochs: Annotated[int, Field(ge=1, le=MAX_EPOCHS)]
    learning_rate: Annotated[float, Field(gt=0, le=10)]

    @property
    def last(self) -> int:
        """The last epoch of the extension."""
        return self.after + self.epochs


def last_epoch(config: RunConfig, extensions: Sequence[Extension]) -> int:
    """Return the last epoch of a run with its extensions."""
    return extensions[-1].last if extensions else config.epochs


def _preset(value: object) -> object:
    """Replace a preset's name by its architecture."""
    if not isinstance(value, str):
        return value
    if value not in NETWORKS:
        raise ValueError(f"unknown architecture {value[:60]!r}: choose one of {', '.join(NETWORKS)}")
    return NETWORKS[value]


def _parent(value: object) -> object:
    """Parse a parent from ``id@epoch``."""
    if not isinstance(value, str):
        return value
    run, _, epoch = value.rpartition("@")
    if not run:
        raise ValueError(f"write RUN@EPOCH, not {value[:120]!r}")
    return {"run": run, "epoch": epoch}


def _start(value: object) -> object:
    """Parse weights to start from: a backbone's name, ``RUN@EPOCH``, or either with a digest."""
    if not isinstance(value, str):
        return value
    name, _, digest = value.rpartition("@")
    if not re.fullmatch("[0-9a-f]{64}", digest):
        name, digest = value, BACKBONES[value].digest if value in BACKBONES else ""
    if name not in BACKBONES and "@" not in name:
        raise ValueError(f"unknown weights {name[:60]!r}: choose one of {', '.join(BACKBONES)}, or a run as RUN@EPOCH")
    return {"name": name, "digest": digest}


def _indices(value: object) -> object:
    """Sort indices such as "17, 3", each once."""
    if not isinstance(value, str):
        return value
    if len(value) > 10 * MAX_EXCLUDED:
        raise ValueError(f"longer than {10 * MAX_EXCLUDED:,} characters: at most {MAX_EXCLUDED} images can be left out")
    parts = [part.strip() for part in value.split(",")] if value.strip() else []
    if not all(re.fullmatch("[0-9]{1,8}", part) for part in parts):
        raise ValueError(f"write indices from 0 with commas between them, such as 3,17, not {value[:60]!r}")
    if len(found := {int(part) for part in parts}) > MAX_EXCLUDED:
        raise ValueError(f"at most {MAX_EXCLUDED} images can be left out, these are {len(found):,}")
    return ",".join(map(str, sorted(found)))


class RunConfig(BaseModel):
    """All settings of one run: the same config, seed, machine and thread count give the same history.

    The comment beside each default gives its reason; figures were measured on the embedded sample. The defaults are
    what a recipe leaves out; what Train begins with is the recipe DEFAULT.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: Annotated[str, Field(max_length=60)] = "mnist-sample"  # needs no download
    architecture: Annotated[Architecture, BeforeValidator(_preset)] = PRESETS["compact"]

    epochs: Annotated[int, Field(ge=1, le=MAX_EPOCHS)] = 45  # one-cycle gains little from more
    batch_size: Annotated[int, Field(ge=1, le=10_000)] = 128  # smaller wastes a CPU, larger needs more epochs
    # Images through the network at once; a batch's gradient is summed over such parts. 0: all, so that batch norm
    # compares them all. At 224 px parts of 8 of 64 images took a third of the memory.
    micro_batch: Annotated[int, Field(ge=0, le=10_000)] = 0
    optimizer: Literal["sgd", "adam", "adamw", "rmsprop"] = "adamw"  # least sensitive to the learning rate
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 0.01  # the one-cycle peak; batch norm tolerates it
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9  # SGD and RMSprop only
    nesterov: bool = True  # SGD only; never worse than plain momentum here
    schedule: Literal["constant", "step", "cosine", "one-cycle"] = "one-cycle"  # best for a short budget
    step_epochs: Annotated[int, Field(ge=1, le=1000)] = 10  # schedule "step": epochs between drops
    step_factor: Annotated[float, Field(gt=0, lt=1)] = 0.1  # schedule "step": what a drop multiplies by
    # Epochs of a rising rate before the schedule. 0: off, as one-cycle, the default, rises by itself.
    warmup_epochs: Annotated[int, Field(ge=0, le=MAX_EPOCHS)] = 0
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01  # AdamW's own default
    gradient_clipping: Annotated[float, Field(ge=0, le=1000)] = 0.0  # largest norm; 0: off, for steps that explode
    # Decay per step of the averaged weights that are judged. 0: off, as a rate that ends low averages too.
    weight_average: Annotated[float, Field(ge=0, lt=1)] = 0.0
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0  # probabilities stay readable as confidence
    class_balance: Literal["none", "weights", "sampling"] = "none"  # classes of equal size need none
    # "auto" is the data set's own; "mild" suits its own test images best, but not drawings.
    augmentation: Literal["auto", "mild", "none", "shift", "flip", "erase", "trivial", "affine", "handwriting"] = "auto"
    mixup: Annotated[float, Field(ge=0, le=10)] = 0.0  # α of Beta(α, α); 0: off, for long trainings that overfit
    cutmix: Annotated[float, Field(ge=0, le=10)] = 0.0  # the same; 0: off, as a part of a digit is often another digit
    # (x − mean) / std; 0…1; −1…1; by ImageNet's mean and std, as torchvision's networks expect
    normalise: Literal["standard", "unit", "symmetric", "imagenet"] = "standard"
    validation_fraction: Annotated[float, Field(ge=0.01, le=0.5)] = 0.1  # of train, stratified
    train_fraction: Annotated[float, Field(ge=0.001, le=1)] = 1.0  # of the rest: below 1 to see what fewer images cost
    # Indices of training images, counted from 0 in the data set's order, that are not trained on: "3,17".
    excluded: Annotated[str, BeforeValidator(_indices)] = ""
    early_stopping: Annotated[int, Field(ge=0, le=1000)] = 0  # epochs without a lower validation loss; 0 is off
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"  # the fastest available
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"  # 16 bits where they are faster
    threads: Annotated[int, Field(ge=0, le=64)] = 0  # of torch on a CPU; 0: as many as are fastest at the moment
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0  # initialisation, data order, augmentation, dropout
    # Which images are held out; None: chosen by the seed. A branch has its parent's, whatever its own seed.
    split_seed: Annotated[int, Field(ge=0, le=2**32 - 1)] | None = None
    parent: Annotated[Parent | None, BeforeValidator(_parent)] = None  # whose weights it starts from; None: new weights
    # Share of the parent's filters that a branch keeps, the strongest ones; its network has so many fewer.
    filters_kept: Annotated[float, Field(ge=0.001, le=1)] = 1.0
    # Operations on the parent's weights before anything else: filters switched off, layers swapped; as text JSON.
    operations: Annotated[
        tuple[Operation, ...], FailFast(), Field(max_length=MAX_OPERATIONS), BeforeValidator(parse_operations)
    ] = ()
    start: Annotated[Start | None, BeforeValidator(_start)] = None  # weights of its first layers; None: new ones
    start_rate: Annotated[float, Field(gt=0, le=1)] = 1.0  # share of the learning rate that these layers get
    learn_from: Annotated[str, Field(max_length=40)] = ""  # the first layer that learns; "": all learn
    # Variants of each image, the first as it is, whose features the frozen layers compute once. 0: anew in every step.
    feature_copies: Annotated[int, Field(ge=0, le=20)] = 1
    lessons: Annotated[
        tuple[LabelledDrawing, ...], Field(max_length=MAX_LESSONS)
    ] = ()  # labelled drawings beside the data set
    lesson_share: Annotated[float, Field(ge=0.01, le=0.9)] = 0.2  # of an epoch's images, if there are any drawings

    @model_validator(mode="after")
    def _fits_together(self) -> RunConfig:
        if self.optimizer == "sgd" and self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs a momentum above 0")
        if self.schedule != "one-cycle" and self.warmup_epochs >= self.epochs:
            raise ValueError("warmup_epochs must be fewer than the epochs")
        self._check_start()
        if sum(len(stroke) for lesson in self.lessons for stroke in lesson.strokes) > MAX_POINTS:
            raise ValueError(f"lessons have more than {MAX_POINTS:,} points together: take fewer")
        return self

    def _check_start(self) -> None:
        """Raise ValueError where the weights to start from, or what is frozen, do not fit the other settings."""
        if self.filters_kept < 1 and not self.parent:
            raise ValueError("filters_kept: these are chosen among a parent's filters: name the parent")
        if self.operations and not self.parent:
            raise ValueError("operations: these are on a parent's weights: name the parent")
        if self.operations and self.filters_kept < 1:
            raise ValueError("operations: either these or filters_kept: branch twice for both")
        if self.start and self.parent:
            raise ValueError("start: a branch starts from its parent's weights: leave one of the two out")
        if self.start_rate != 1 and not self.start:
            raise ValueError("start_rate is of layers with weights from start: name these")
        backbone = BACKBONES.get(self.backbone)
        if backbone and self.normalise != backbone.normalise:
            raise ValueError(
                f"normalise: {backbone.title} was trained on pixels of scale {backbone.normalise}: take it"
            )
        if not self.learn_from:
            return
        names = [name for name, _ in self.architecture.named_layers]
        if self.learn_from not in names:
            raise ValueError(f"learn_from: the network has no layer {self.learn_from!r}: one of {', '.join(names)}")
        if not (self.start or self.parent):
            raise ValueError("learn_from: the layers before it would keep random weights: name weights to start from")
        if not any(layer.gives_logits for _, layer in self.architecture.named_layers[names.index(self.learn_from) :]):
            raise ValueError("learn_from: no layer from there on has weights: choose an earlier one")
        if self.keeps_features and (self.mixup or self.cutmix):
            raise ValueError("mixup and cutmix mix images, whose features are computed once: set feature_copies to 0")

    @property
    def comes_from(self) -> Parent | None:
        """The run and the epoch whose weights it begins with, all or those of its first layers; None for no run's."""
        return self.parent or (self.start.run if self.start else None)

    @property
    def backbone(self) -> str:
        """The name of the published weights that it starts from; empty where it starts from none."""
        return self.start.name if self.start and not self.start.run else ""

    @property
    def keeps_features(self) -> bool:
        """Whether the outputs of frozen layers are computed once for each image, and kept."""
        return bool(self.learn_from and self.feature_copies)

    @property
    def images_at_once(self) -> int:
        """How many images of a batch go through the network together while it trains."""
        return min(self.micro_batch or self.batch_size, self.batch_size)

    @property
    def held_out_by(self) -> int:
        """The seed that decides which training images are held out for validation."""
        return self.seed if self.split_seed is None else self.split_seed

    @property
    def left_out(self) -> tuple[int, ...]:
        """The indices of the training images that are not trained on."""
        return tuple(map(int, self.excluded.split(","))) if self.excluded else ()

    @property
    def origin(self) -> str:
        """The origin of the run in words, such as "taught 10 drawings"; empty where it starts from new weights."""
        if self.lessons:
            return f"taught {_counted(self.lessons)}"
        if self.start:
            return f"from {self.start.name}"
        if not self.parent:
            return ""
        if count := len(self.operations):
            return f"{count} operation{'s' * (count > 1)} on epoch {self.parent.epoch}"
        return "pruned " * (self.filters_kept < 1) + f"from epoch {self.parent.epoch}"

    def scalars(self) -> dict[str, Any]:
        """Return every field but the network as a number, a truth value or text, the parent as ``id@epoch``.

        Labelled drawings become their number and a digest, which tells sets of the same size apart.
        """
        return {
            **self.model_dump(mode="json", exclude={"architecture", "parent", "operations", "start", "lessons"}),
            "start": str(self.start or "none"),
            "parent": str(self.parent or "none"),
            "operations": "; ".join(map(str, self.operations)) or "none",
            "split_seed": "as seed" if self.split_seed is None else str(self.split_seed),
            "lessons": f"{_counted(self.lessons)}, {_digest(self.lessons)}" if self.lessons else "none",
        }


# Settings that have an effect only with some values of another.
COUNTS_WITH: dict[str, tuple[str, tuple[str, ...]]] = {
    "momentum": ("optimizer", ("sgd", "rmsprop")),
    "nesterov": ("optimizer", ("sgd",)),
    "step_epochs": ("schedule", ("step",)),
    "step_factor": ("schedule", ("step",)),
    "warmup_epochs": ("schedule", ("constant", "step", "cosine")),
}


def parse_config(fields: dict[str, object]) -> RunConfig:
    """Validate ``fields``. Raises ConfigError with one line for the first field that is wrong."""
    try:
        return RunConfig.model_validate(fields)
    except ValidationError as error:
        raise ConfigError(first_error(error)) from error


def parse_parent(text: str) -> Parent:
    """Read a run and its epoch from ``id@epoch``. Raises ConfigError where it is none."""
    try:
        return Parent.model_validate(_parent(text))
    except ValueError as error:
        reason = first_error(error) if isinstance(error, ValidationError) else str(error)
        raise ConfigError(reason) from error


def parse_extension(after: int, epochs: int, learning_rate: float) -> Extension:
    """Validate the fields of an extension. Raises ConfigError as ``parse_config``."""
    try:
        return Extension(after=after, epochs=epochs, learning_rate=learning_rate)
    except ValidationError as error:
        raise ConfigError(first_error(error)) from error


_TITLES = {  # of settings whose names in code say too little to users
    "architecture": "Network",
    "class_balance": "Balance the classes",
    "cutmix": "CutMix",
    "dataset": "Data set",
    "excluded": "Excluded training images",
    "feature_copies": "Variants of each image",
    "filters_kept": "Fraction of filters kept",
    "learn_from": "What learns",
    "micro_batch": "Micro-batch",
    "nesterov": "Nesterov momentum",
    "normalise": "Pixel scaling",
    "optimizer": "Optimiser",
    "schedule": "Learning-rate schedule",
    "start": "Weights to start from",
    "start_rate": "Learning rate of pretrained layers",
    "step_epochs": "Epochs between drops",
    "step_factor": "Drop factor",
    "train_fraction": "Fraction of training images used",
    "validation_fraction": "Validation share",
    "warmup_epochs": "Warm-up epochs",
}


def field_title(field: str) -> str:
    """Return the name of a setting as users read it: in forms, tables, charts and reports."""
    return _TITLES.get(field) or field.replace("_", " ").capitalize()


def _counted(lessons: tuple[LabelledDrawing, ...]) -> str:
    return f"{len(lessons)} drawing{'' if len(lessons) == 1 else 's'}"


def _digest(lessons: tuple[LabelledDrawing, ...]) -> str:
    return blake2s("".join(lesson.model_dump_json() for lesson in lessons).encode(), digest_size=3).hexdigest()
