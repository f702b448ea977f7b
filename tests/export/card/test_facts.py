from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from cnnlab.__main__ import cli
from cnnlab.cli.options import changed
from cnnlab.export.card.facts import facts, fingerprint, reproduce
from cnnlab.export.portable import ExportError, Portable
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.designs import read_design
from cnnlab.networks.layers import Conv2d, Flatten, Linear
from cnnlab.networks.presets import PRESETS
from cnnlab.runs.run import Run
from cnnlab.runs.trained import load_trained
from cnnlab.training.config import RunConfig
from cnnlab.training.recipes import DEFAULT, RECIPES
from tests.export.portables import portable


def asked(command: str) -> RunConfig:
    """The config that a command trains with."""
    *program, name = (words := shlex.split(command))[:4]
    assert program == ["python", "-m", "cnnlab"]
    given = cli.commands[name].make_context(name, words[4:]).params
    fields: dict[str, Any] = {field: given[field] for field in RunConfig.model_fields if given[field] is not None}
    return changed(RECIPES[given["recipe"]].config, fields)


def test_a_card_tells_what_was_measured(listed_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.evaluation.corruptions.IMAGES", 100)
    told = facts(Portable.of(listed_run, "Mine"))
    assert told == json.loads(json.dumps(told, allow_nan=False))
    assert told["test"]["accuracy"] == listed_run.summary.test_accuracy
    assert [row["Images"] for row in told["test"]["classes"]] == [50] * 10
    assert told["test"]["looks"] == listed_run.looks
    assert (told["data"]["training"], told["data"]["validation"], told["data"]["test"]) == (4050, 450, 500)
    assert [row["epoch"] for row in told["curves"]] == [1, 2]
    assert len(told["robustness"]) == 5 * 6
    assert told["fingerprint"] == fingerprint(load_trained(listed_run).network.state_dict())
    assert told["fingerprint"] != fingerprint(load_trained(listed_run, 1).network.state_dict())


@pytest.mark.parametrize("name", RECIPES)
def test_its_command_trains_with_the_same_settings(name: str) -> None:
    config = RECIPES[name].config
    given = reproduce(config)
    assert given["design"] is None
    assert asked(given["command"]).model_dump() == config.model_dump()


def test_a_design_of_ones_own_travels_along() -> None:
    layers = (Conv2d(out_channels=4), Flatten(), Linear(out_features="classes"))
    own = {"architecture": Architecture(name="mine", title="Mine", layers=layers), "nesterov": False}
    config = RECIPES[DEFAULT].config.model_copy(update=own)
    given = reproduce(config)
    assert given["command"].endswith("--architecture design.json --no-nesterov")
    assert read_design(json.dumps(given["design"]).encode()).layers == layers


def test_a_network_without_a_training_has_no_card() -> None:
    with pytest.raises(ExportError, match="a card tells of a training"):
        facts(portable(PRESETS["quick"], (1, 28, 28)))
