"""The configuration of a sweep: the settings to search, their values, and the number of trials."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, FiniteFloat, Tag, ValidationError, model_validator

from cnnlab.data.datasets import dataset_spec
from cnnlab.jobs.trial_pruning import PrunerName
from cnnlab.runs.disk import disk_needs
from cnnlab.training.config import COUNTS_WITH, ConfigError, RunConfig, parse_config
from cnnlab.training.epoch_time import epoch_images


class Between(BaseModel):
    """A range of numbers, its ends included; whole numbers where the setting takes only those."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: FiniteFloat
    high: FiniteFloat
    log: bool = False  # uniform in the logarithm

    @model_validator(mode="after")
    def _is_a_range(self) -> Between:
        if not self.low < self.high:
            raise ValueError(f"the range from {self.low:g} to {self.high:g} is empty: its end must be above its start")
        if self.log and self.low <= 0:
            raise ValueError("a logarithmic range must start above 0")
        return self

    @property
    def examples(self) -> tuple[float, float]:
        return self.low, self.high


class Among(BaseModel):
    """Some values of a setting."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    options: Annotated[tuple[bool | int | FiniteFloat | str, ...], Field(min_length=2, max_length=50)]

    @property
    def examples(self) -> tuple[bool | int | float | str, ...]:
        return self.options


def _tag(values: object) -> str:
    """Return the kind of search space, so that errors are about that kind only."""
    has_options = "options" in values if isinstance(values, dict) else hasattr(values, "options")
    return "among" if has_options else "between"


Values = Annotated[Annotated[Between, Tag("between")] | Annotated[Among, Tag("among")], Discriminator(_tag)]


class SweepConfig(BaseModel):
    """The configuration of a sweep."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: RunConfig = RunConfig()  # what is not searched
    space: Annotated[dict[str, Values], Field(min_length=1, max_length=20)]
    trials: Annotated[int, Field(ge=1, le=1000)] = 20
    minutes: Annotated[float, Field(gt=0, le=10_000)] | None = None  # of all trials together; None: no limit
    pruner: PrunerName = "median"
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0  # of the sampler

    @model_validator(mode="after")
    def _can_be_searched(self) -> SweepConfig:
        for name, values in self.space.items():
            if name not in SPACES:
                raise ValueError(f"{name!r} cannot be searched: choose among {', '.join(SPACES)}")
            for value in values.examples:
                with_values(self.base, {name: typed(name, value)})
        if "epochs" in self.space and self.pruner != "none":
            raise ValueError(
                "trials of different lengths cannot be stopped by their curves: turn early stopping of trials off"
            )
        return self


# Settings that can be searched, and the values offered at first.
SPACES: dict[str, Between | Among] = {
    "learning_rate": Between(low=0.001, high=0.1, log=True),
    "batch_size": Among(options=(32, 64, 128, 256)),
    "optimizer": Among(options=("sgd", "adam", "adamw", "rmsprop")),
    "weight_decay": Between(low=0.0001, high=0.1, log=True),
    "momentum": Between(low=0.5, high=0.99),
    "schedule": Among(options=("constant", "step", "cosine", "one-cycle")),
    "warmup_epochs": Among(options=(0, 1, 2, 5)),
    "gradient_clipping": Between(low=0.1, high=10.0, log=True),
    "weight_average": Between(low=0.9, high=0.999),
    "label_smoothing": Between(low=0.0, high=0.2),
    "class_balance": Among(options=("none", "weights", "sampling")),
    "augmentation": Among(options=("none", "shift", "affine", "handwriting")),
    "mixup": Between(low=0.0, high=0.5),
    "cutmix": Between(low=0.0, high=1.0),
    "architecture": Among(options=("compact", "quick")),
    "normalise": Among(options=("standard", "unit", "symmetric")),
    "nesterov": Among(options=(True, False)),
    "train_fraction": Between(low=0.1, high=1.0),
    "epochs": Among(options=(5, 10, 20, 40)),
    "seed": Among(options=(0, 1, 2, 3, 4)),
}


def disk_bytes(config: SweepConfig) -> int:
    """Return what all trials leave on disk, each as much as the one that takes most. Raises as ``disk_needs``."""
    values = {name: [typed(name, value) for value in space.examples] for name, space in config.space.items()}
    epochs = max(values.get("epochs", [config.base.epochs]))
    networks = values.get("architecture", [config.base.architecture.model_dump()])
    trials = [with_values(config.base, {"architecture": network, "epochs": epochs}) for network in networks]
    return config.trials * max(disk_needs(trial, dataset_spec(trial.dataset)).bytes for trial in trials)


def images_at_most(config: SweepConfig) -> int:
    """Return the training images times epochs of all trials, each with as many as the largest."""
    longer = {name: space for name, space in config.space.items() if name in ("epochs", "train_fraction")}
    ends = {name: max(typed(name, value) for value in space.examples) for name, space in longer.items()}
    trial = with_values(config.base, ends)
    return config.trials * trial.epochs * epoch_images(trial, dataset_spec(trial.dataset))[0]


def parse_sweep(fields: dict[str, object]) -> SweepConfig:
    """Validate the fields of a new sweep. Raises ConfigError with one line for the first that is wrong."""
    config = validated(fields)
    for name in config.space:
        _check_counts(name, config)
    return config


def validated(fields: dict[str, object]) -> SweepConfig:
    """Validate a sweep that was started before: it may search settings without effect. Raises ConfigError."""
    try:
        return SweepConfig.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = "".join(f"{part}: " for part in first["loc"] if part in SPACES or part in ("trials", "minutes"))
        raise ConfigError(where + first["msg"].removeprefix("Value error, ")) from error


def _check_counts(name: str, config: SweepConfig) -> None:
    """Raise ConfigError where the setting has no effect on any trial."""
    if len({typed(name, value) for value in config.space[name].examples}) == 1:
        raise ConfigError(f"{name}: all its values are the same: choose others, or remove it from the search")
    other, values = COUNTS_WITH.get(name, ("", ()))
    if not other:
        return
    tried = config.space[other].examples if other in config.space else (getattr(config.base, other),)
    if not any(value in values for value in tried):
        raise ConfigError(
            f"{name}: it has no effect with {other.replace('_', ' ')} {', '.join(map(str, tried))}: choose "
            f"{' or '.join(values)} there, or remove it from the search"
        )


def is_whole(name: str) -> bool:
    """Tell whether a setting takes whole numbers only."""
    return isinstance(RunConfig.model_fields[name].default, int)


def typed(name: str, value: Any) -> Any:
    """Round ``value`` where the setting takes whole numbers only."""
    return round(value) if is_whole(name) and isinstance(value, float) else value


def with_values(base: RunConfig, chosen: dict[str, Any]) -> RunConfig:
    """Return ``base`` with other values of some settings. Raises ConfigError where they are invalid."""
    return parse_config(base.model_dump() | chosen)
