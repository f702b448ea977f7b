"""Operations as records: what they may be, their text, their words."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from cnnlab.networks.operations import MAX_TEXT, Operation, as_text, parse_operations
from cnnlab.training.config import ConfigError, RunConfig, parse_config

STEPS = (
    Operation(kind="off", layer="conv1", filters=(3, 1)),
    Operation(kind="off", layer="block1.body.0"),
    Operation(kind="on", layer="block1.body.0", filters=(4,)),
    Operation(kind="prune", share=0.25),
    Operation(kind="prune", layer="conv2", share=0.5),
    Operation(kind="swap", layer="linear1", source="20260101-000000-abc@7"),
)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"kind": "off"}, "name the layer"),
        ({"kind": "swap", "layer": "conv1"}, "source: a layer is swapped with"),
        ({"kind": "off", "layer": "conv1", "source": "run@1"}, "source"),
        ({"kind": "swap", "layer": "conv1", "source": "../run@1"}, "source"),
        ({"kind": "prune", "layer": "conv1"}, "share: of the filters"),
        ({"kind": "off", "layer": "conv1", "share": 0.5}, "share"),
        ({"kind": "prune", "layer": "conv1", "share": 0.5, "filters": [1]}, "filters"),
        ({"kind": "off", "layer": "conv1", "filters": [-1]}, "filters"),
        ({"kind": "melt", "layer": "conv1"}, "kind"),
    ],
)
def test_a_step_that_makes_no_sense_is_refused(fields: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Operation.model_validate(fields)


def test_steps_say_what_they_do() -> None:
    assert list(map(str, STEPS)) == [
        "conv1 1, 3 off",
        "block1.body.0 off",
        "block1.body.0 4 on",
        "weakest 25% of each convolution off",
        "weakest 50% of conv2 off",
        "linear1 from epoch 7 of 20260101-000000-abc",
    ]
    assert str(Operation(kind="off", layer="conv1", filters=tuple(range(20)))) == (
        "conv1 0, 1, 2, 3, 4, 5 … (20 filters) off"
    )


def test_steps_come_back_from_their_text_and_from_a_config() -> None:
    config = parse_config({"parent": "20260101-000000-abc@7", "operations": as_text(STEPS)})
    assert config.operations == STEPS
    assert RunConfig.model_validate_json(config.model_dump_json()) == config
    assert config.origin == "6 operations on epoch 7"
    assert str(config.scalars()["operations"]).startswith("conv1 1, 3 off; block1.body.0 off; block1.body.0 4 on; ")
    assert parse_operations(STEPS) is STEPS


@pytest.mark.parametrize(
    "fields",
    [
        {"operations": as_text(STEPS)},  # on no parent
        {"parent": "a@1", "operations": "nothing"},
        {"parent": "a@1", "operations": " " * (MAX_TEXT + 1)},
        {"parent": "a@1", "operations": STEPS[:1] * 201},
        {"parent": "a@1", "operations": STEPS, "filters_kept": 0.5},
    ],
)
def test_a_config_refuses_operations_that_cannot_be(fields: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="operations"):
        parse_config(fields)
