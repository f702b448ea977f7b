from __future__ import annotations

import pytest
from pydantic import ValidationError

from cnnlab.architectures import PRESETS
from cnnlab.config import ConfigError, RunConfig, parse_config


def test_a_config_survives_json() -> None:
    config = RunConfig(architecture=PRESETS["lenet-5"], seed=7, label_smoothing=0.1)
    assert RunConfig.model_validate_json(config.model_dump_json()) == config


def test_a_presets_name_stands_for_its_layers() -> None:
    assert parse_config({"architecture": "lenet-5"}).architecture is PRESETS["lenet-5"]


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        setattr(RunConfig(), "epochs", 3)  # noqa: B010 - mypy knows too that it is read-only


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("architecture", "no-such-net"),
        ("architecture", {"name": "x", "title": "x", "layers": []}),
        ("augmentation", "swirl"),
        ("batch_size", 0),
        ("dataset", 3),
        ("device", "toaster"),
        ("early_stopping", -1),
        ("epochs", "many"),
        ("label_smoothing", 1.0),
        ("learning_rate", 0),
        ("learning_rate", float("nan")),
        ("momentum", 1),
        ("normalise", "loudly"),
        ("optimizer", "magic"),
        ("precision", "int1"),
        ("schedule", "whenever"),
        ("seed", -1),
        ("step_factor", 1),
        ("validation_fraction", 0.9),
        ("weight_decay", -0.1),
        ("no_such_field", 1),
    ],
)
def test_a_bad_field_is_named_in_one_line(field: str, value: object) -> None:
    with pytest.raises(ConfigError) as refusal:
        parse_config({field: value})
    assert str(refusal.value).startswith(field)
    assert "\n" not in str(refusal.value)


def test_nesterov_needs_momentum() -> None:
    with pytest.raises(ConfigError, match="nesterov needs a momentum"):
        parse_config({"optimizer": "sgd", "momentum": 0, "nesterov": True})
