"""RunConfig: everything that decides a run, frozen and validated; to and from JSON."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from cnnlab.architectures import PRESETS, Architecture


class ConfigError(ValueError):
    """A configuration that cannot run; one line that says what is wrong and what is allowed."""


def _preset(value: object) -> object:
    """A preset's name stands for its architecture."""
    if not isinstance(value, str):
        return value
    if value not in PRESETS:
        raise ValueError(f"unknown architecture {value!r}: choose one of {', '.join(PRESETS)}")
    return PRESETS[value]


class RunConfig(BaseModel):
    """One run, complete: the same config, seed, machine and thread count give the same history.

    Each default's reason stands beside it; figures were measured on the embedded sample.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: Annotated[str, Field(max_length=60)] = "mnist-sample"  # needs no download
    architecture: Annotated[Architecture, BeforeValidator(_preset)] = PRESETS["compact"]

    epochs: Annotated[int, Field(ge=1, le=1000)] = 45  # one-cycle gains little from more; about half a minute
    batch_size: Annotated[int, Field(ge=1, le=10_000)] = 128  # smaller wastes a CPU, larger needs more epochs
    optimizer: Literal["sgd", "adam", "adamw", "rmsprop"] = "adamw"  # least sensitive to the learning rate
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 0.01  # the one-cycle peak; batch norm bears it
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9  # SGD and RMSprop only
    nesterov: bool = True  # SGD only; never worse than plain momentum here
    schedule: Literal["constant", "step", "cosine", "one-cycle"] = "one-cycle"  # best for a short budget
    step_epochs: Annotated[int, Field(ge=1, le=1000)] = 10  # schedule "step": epochs between drops
    step_factor: Annotated[float, Field(gt=0, lt=1)] = 0.1  # schedule "step": what a drop multiplies by
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01  # AdamW's own default
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0  # probabilities stay readable as confidence
    # "auto" is the data set's own; "mild" suits its own test images best, but not drawings.
    augmentation: Literal["auto", "mild", "none", "shift", "flip", "erase", "affine", "handwriting"] = "auto"
    normalise: Literal["standard", "unit", "symmetric"] = "standard"  # (x − mean) / std; 0…1; −1…1
    validation_fraction: Annotated[float, Field(ge=0.01, le=0.5)] = 0.1  # of train, stratified
    train_fraction: Annotated[float, Field(ge=0.01, le=1)] = 1.0  # of the rest: below 1 to see what fewer images cost
    early_stopping: Annotated[int, Field(ge=0, le=1000)] = 0  # epochs without a lower validation loss; 0 is off
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"  # the fastest that is there
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"  # 16 bits where they pay
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0  # initialisation, data order, augmentation, dropout

    @model_validator(mode="after")
    def _fits_together(self) -> RunConfig:
        if self.optimizer == "sgd" and self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs a momentum above 0")
        return self


def parse_config(fields: dict[str, object]) -> RunConfig:
    """Validate ``fields``. Raises ConfigError with one line for the first field that is wrong."""
    try:
        return RunConfig.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{where}: {what}" if where else what) from error


def titled(field: str) -> str:
    """A setting's name for readers."""
    return field.replace("_", " ").capitalize()
