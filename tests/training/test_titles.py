from __future__ import annotations

import pytest

from cnnlab.training.config import ConfigError, RunConfig, parse_config
from cnnlab.training.recipes import DEFAULT, RECIPES
from cnnlab.training.titles import TOLD, in_form_words, phrase, recipe_of, setting_of, setting_title, what_differs


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_differs_from_none(name: str) -> None:
    assert what_differs(RECIPES[name].config) == ""


def test_a_title_names_what_was_changed_and_no_more_than_fits() -> None:
    short = RECIPES["quick"].config.model_copy(update={"epochs": 4, "augmentation": "shift"})
    assert recipe_of(short).name == "quick"
    assert what_differs(short) == "4 epochs, shift augmentation"
    many = RunConfig(epochs=1, train_fraction=0.1, augmentation="none", optimizer="sgd", learning_rate=0.5, seed=3)
    assert what_differs(many) == "1 epoch, 10% of the images, no augmentation"
    assert what_differs(many).count(",") == TOLD - 1


def test_what_has_no_effect_and_what_is_of_the_machine_is_not_told() -> None:
    without_effect = {"momentum": 0.5, "step_epochs": 3, "device": "cpu", "dataset": "mnist"}
    assert what_differs(RECIPES[DEFAULT].config.model_copy(update=without_effect)) == ""


def test_a_micro_batch_is_told_where_it_is_less_than_a_batch() -> None:
    plain = RECIPES[DEFAULT].config
    told = {size: what_differs(plain.model_copy(update={"micro_batch": size})) for size in (8, plain.batch_size)}
    assert list(told.values()) == ["8 images at once", ""]
    assert phrase("micro_batch", 0) == "whole batches at once"


def test_values_are_told_by_their_titles() -> None:
    assert setting_title("dataset", "mnist-sample") == "MNIST sample"
    assert (setting_title("optimizer", "adamw"), setting_title("nesterov", False)) == ("AdamW", "no")
    assert (setting_title("seed", "123456789"), setting_title("learning_rate", "0.0123456")) == (
        "123456789",
        "0.0123456",
    )
    assert (phrase("learning_rate", 0.0123456), phrase("momentum", "0.8")) == ("learning rate 0.0123", "momentum 0.8")


@pytest.mark.parametrize(
    ("fields", "setting", "told"),
    [
        ({"batch_size": 100_000}, "batch_size", "Batch size: at most 10,000."),
        ({"learning_rate": 0}, "learning_rate", "Learning rate: more than 0."),
        ({"momentum": 1}, "momentum", "Momentum: less than 1."),
        ({"epochs": 1.5}, "epochs", "Epochs: not a whole number."),
        ({"optimizer": "lion"}, "optimizer", "Optimiser: one of 'sgd', 'adam', 'adamw' or 'rmsprop'."),
        ({"optimizer": "sgd", "momentum": 0}, "nesterov", "Nesterov momentum needs a momentum above 0."),
        (
            {"schedule": "step", "warmup_epochs": 45},
            "warmup_epochs",
            "Warm-up epochs must be fewer than the epochs.",
        ),
    ],
)
def test_a_reason_has_the_words_of_forms(fields: dict[str, object], setting: str, told: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        parse_config(fields)
    assert setting_of(str(refusal.value)) == setting
    assert in_form_words(str(refusal.value)) == told


def test_what_names_no_setting_stays_as_it_is() -> None:
    assert setting_of("conv2: a kernel of 9 does not fit") == ""
    assert in_form_words("conv_two: a kernel of 9 does not fit") == "conv_two: a kernel of 9 does not fit."
    assert in_form_words("so set feature_copies to 0") == "So set Variants of each image to 0."


def test_images_left_out_are_counted_and_a_single_one_is_named() -> None:
    assert what_differs(RunConfig(excluded="17, 3")) == "without 2 training images"
    assert what_differs(RunConfig(excluded="17")) == "without training image 17"
    assert setting_title("excluded", "") == "no training images"
