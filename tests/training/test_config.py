from __future__ import annotations

import pytest
from pydantic import ValidationError

from cnnlab.networks.presets import PRESETS
from cnnlab.training.config import ConfigError, Parent, RunConfig, parse_config, parse_extension
from tests.samples import lesson


def test_a_config_survives_json() -> None:
    config = RunConfig(architecture=PRESETS["lenet-5"], seed=7, label_smoothing=0.1)
    assert RunConfig.model_validate_json(config.model_dump_json()) == config


def test_a_branch_with_drawings_survives_json() -> None:
    parent = Parent(run="20260101-000000-abc", epoch=7)
    config = RunConfig(parent=parent, lessons=(lesson(), lesson("3", 0.1)), lesson_share=0.4)
    assert RunConfig.model_validate_json(config.model_dump_json()) == config
    assert parse_config(config.model_dump()) == config


def test_a_parent_is_written_as_its_id_and_epoch() -> None:
    config = parse_config({"parent": "20260101-000000-abc@7"})
    assert config.parent == Parent(run="20260101-000000-abc", epoch=7)
    assert str(config.parent) == "20260101-000000-abc@7"


def test_every_setting_but_the_network_is_a_scalar() -> None:
    parent = Parent(run="20260101-000000-abc", epoch=7)
    plain, taught = RunConfig(), RunConfig(parent=parent, lessons=(lesson(),) * 3)
    for config in (plain, taught):
        assert config.scalars().keys() == RunConfig.model_fields.keys() - {"architecture"}
        assert all(isinstance(value, bool | int | float | str) for value in config.scalars().values())
    assert (plain.scalars()["parent"], plain.scalars()["lessons"]) == ("none", "none")
    assert taught.scalars()["parent"] == "20260101-000000-abc@7"
    assert taught.scalars()["lessons"].startswith("3 drawings, ")
    others = taught.model_copy(update={"lessons": (lesson("1"),) * 3})
    assert taught.scalars()["lessons"] != others.scalars()["lessons"]


def test_what_made_a_run_of_another_is_told_in_words() -> None:
    parent = Parent(run="20260101-000000-abc", epoch=7)
    assert RunConfig().origin == ""
    assert RunConfig(parent=parent).origin == "from epoch 7"
    assert RunConfig(parent=parent, lessons=(lesson(),)).origin == "taught 1 drawing"
    assert RunConfig(lessons=(lesson(),) * 2).origin == "taught 2 drawings"


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
        ("class_balance", "fair"),
        ("cutmix", -1),
        ("dataset", 3),
        ("device", "toaster"),
        ("early_stopping", -1),
        ("epochs", "many"),
        ("gradient_clipping", -1),
        ("label_smoothing", 1.0),
        ("learning_rate", 0),
        ("learning_rate", float("nan")),
        ("lesson_share", 0),
        ("lesson_share", 1),
        ("lessons", [lesson()] * 501),
        ("lessons", [{"strokes": [[[0, 0]]]}]),
        ("lessons", [{"label": "7", "strokes": [[[0, 0]] * 10_000] * 40}]),
        ("micro_batch", -1),
        ("mixup", "always"),
        ("momentum", 1),
        ("normalise", "loudly"),
        ("optimizer", "magic"),
        ("parent", "no-epoch"),
        ("parent", "@3"),
        ("parent", "../elsewhere@3"),
        ("parent", "a@-1"),
        ("parent", {"run": "a", "epoch": 1, "more": 2}),
        ("precision", "int1"),
        ("schedule", "whenever"),
        ("seed", -1),
        ("step_factor", 1),
        ("validation_fraction", 0.9),
        ("warmup_epochs", 0.5),
        ("weight_average", 1),
        ("weight_decay", -0.1),
        ("no_such_field", 1),
    ],
)
def test_a_bad_field_is_named_in_one_line(field: str, value: object) -> None:
    with pytest.raises(ConfigError) as refusal:
        parse_config({field: value})
    assert str(refusal.value).startswith(field)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("micro_batch", "at_once"), [(0, 64), (8, 8), (64, 64), (100, 64)])
def test_a_micro_batch_is_a_part_of_a_batch(micro_batch: int, at_once: int) -> None:
    assert RunConfig(batch_size=64, micro_batch=micro_batch).images_at_once == at_once


def test_nesterov_needs_momentum() -> None:
    with pytest.raises(ConfigError, match="nesterov needs a momentum"):
        parse_config({"optimizer": "sgd", "momentum": 0, "nesterov": True})


def test_a_warm_up_ends_before_the_training_does() -> None:
    fields = {"epochs": 3, "schedule": "cosine", "warmup_epochs": 2}
    assert parse_config(dict(fields)).warmup_epochs == 2
    with pytest.raises(ConfigError, match="warmup_epochs must be fewer than the epochs"):
        parse_config({**fields, "epochs": 2})
    assert parse_config({**fields, "epochs": 2, "schedule": "one-cycle"}).epochs == 2  # which has its own


@pytest.mark.parametrize("name", ["x" * 10_000, "two\nlines", "\x1b[31m"])
def test_a_foreign_name_is_told_in_one_short_line(name: str) -> None:
    for fields in ({name: 1}, {"architecture": name}, {"architecture": {name: 1}}):
        with pytest.raises(ConfigError) as refusal:
            parse_config(dict(fields))
        assert str(refusal.value).isprintable()
        assert len(str(refusal.value)) < 400


def test_an_extension_at_no_rate_is_refused() -> None:
    assert parse_extension(3, 2, 0.1).last == 5
    with pytest.raises(ConfigError, match=r"learning_rate: (at most|more than)"):
        parse_extension(3, 2, float("nan"))
