"""Settings and their values as users read them, and what sets a config apart from its recipe."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

from cnnlab.data.datasets import dataset_title
from cnnlab.networks.layers import Chain
from cnnlab.text import sentence
from cnnlab.training.config import COUNTS_WITH, RunConfig, field_title
from cnnlab.training.recipes import DEFAULT, RECIPES, Recipe

_VALUES = {
    "": "all layers",  # that learn
    "sgd": "SGD",
    "adam": "Adam",
    "adamw": "AdamW",
    "rmsprop": "RMSprop",
    "cpu": "CPU",
    "cuda": "CUDA",
    "mps": "MPS",
    "trivial": "TrivialAugment",
    "weights": "class weights in the loss",
    "sampling": "draw all classes equally often",
    "standard": "(x − mean) / std",
    "unit": "0 … 1",
    "symmetric": "−1 … 1",
    "imagenet": "ImageNet's mean and std",
    "True": "yes",
    "False": "no",
}
_PHRASES = {  # what a title says of a setting; those that decide most come first
    "epochs": "{} epochs",
    "train_fraction": "{} of the images",
    "excluded": "without {}",
    "augmentation": "{} augmentation",
    "optimizer": "{}",
    "learning_rate": "learning rate {}",
    "schedule": "{} schedule",
    "batch_size": "batches of {}",
    "micro_batch": "{} images at once",
    "mixup": "mixup {}",
    "cutmix": "CutMix {}",
    "label_smoothing": "label smoothing {}",
    "weight_decay": "weight decay {}",
    "class_balance": "balanced by {}",
    "learn_from": "learns from {}",
    "filters_kept": "{} of the filters",
    "seed": "seed {}",
}
_SAID = {
    ("epochs", "1"): "1 epoch",
    ("micro_batch", "0"): "whole batches at once",
    ("augmentation", "none"): "no augmentation",
    ("label_smoothing", "0.0"): "no label smoothing",
    ("weight_average", "0.0"): "no weight average",
}
_SHARES = ("train_fraction", "filters_kept", "validation_fraction", "lesson_share")
_ALWAYS_OWN = {"dataset", "device", "precision", "threads"}  # no recipe decides them
_FIRST_WORD, _LONG_WORD = re.compile(r"^[a-z_]+\b"), re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")  # that may be a setting
_LAYER = re.compile(r"[\w.-]+:")
TOLD = 3  # settings in a title, at most


def value_title(value: str) -> str:
    """Return the name of one of a setting's values as users read it."""
    return _VALUES.get(value, value)


def setting_title(field: str, value: Any, digits: int = 6) -> str:
    """Return the value of the setting ``field`` as users read it: 0.01, AdamW, 10%, MNIST sample."""
    if field == "dataset":
        return dataset_title(str(value))
    if field == "excluded":
        return _images(str(value))
    if field in _SHARES:
        return f"{100 * float(value):.3g}%"
    try:
        return str(value) if str(value).isdigit() else f"{float(str(value)):.{digits}g}"
    except ValueError:
        return value_title(str(value))


def setting_of(reason: str) -> str:
    """Return the setting that a reason is about, as those of ``parse_config`` are; empty where it names none."""
    first = _FIRST_WORD.match(reason)
    return first[0] if first and first[0] in RunConfig.model_fields else ""


def in_form_words(reason: str, where: str = "") -> str:
    """Write a reason as a sentence in which settings have the names that forms give them.

    ``where`` follows the name of the setting that it is about. "batch_size: at most 10,000" becomes "Batch size: …".
    """
    about = setting_of(reason)
    rest = _LONG_WORD.sub(lambda found: _titled(found[0]), reason[len(about) :])
    if not about and (layer := _LAYER.match(rest)):
        return f"{layer[0]}{sentence(rest[layer.end() :])}"  # a layer's name stays as it is
    return sentence(f"{field_title(about)}{where}{rest}" if about else rest)


def _titled(word: str) -> str:
    return field_title(word) if word in RunConfig.model_fields else word


def recipe_of(config: RunConfig) -> Recipe:
    """Return the recipe that a config is closest to: one of its network, or the default one."""
    offered = _recipes_with(config.architecture.layers)
    return min(offered, key=lambda recipe: len(beyond(recipe, config)))


def beyond(recipe: Recipe, config: RunConfig) -> dict[str, Any]:
    """Return the settings of ``config`` that differ from the recipe's and have an effect, but for its network."""
    plain, own = _scalars(recipe.name), config.scalars()
    return {field: value for field, value in own.items() if value != plain[field] and _counts(field, own)}


def what_differs(config: RunConfig) -> str:
    """Say in a few words what sets a config apart from its recipe: "4 epochs, no augmentation"."""
    apart = beyond(recipe_of(config), config)
    return ", ".join([phrase(field, apart[field]) for field in _PHRASES if field in apart][:TOLD])


def phrase(field: str, value: Any) -> str:
    """Say what a setting is: "1 epoch", "no augmentation", "learning rate 0.05", "momentum 0.8"."""
    if (field, str(value)) in _SAID:
        return _SAID[field, str(value)]
    return _PHRASES.get(field, f"{field.replace('_', ' ')} {{}}").format(setting_title(field, value, digits=3))


def _images(indices: str) -> str:
    """Say how many images an ``excluded`` lists, and name a single one."""
    listed = indices.split(",") if indices else []
    return f"training image {indices}" if len(listed) == 1 else f"{len(listed) or 'no'} training images"


@lru_cache(maxsize=256)
def _recipes_with(layers: Chain) -> list[Recipe]:
    """Return the recipes of a network, and the default one; kept, as lists of runs ask for each run."""
    offered = [recipe for recipe in RECIPES.values() if recipe.config.architecture.layers == layers]
    return [*offered, RECIPES[DEFAULT]]


@cache
def _scalars(recipe: str) -> dict[str, Any]:
    """Return the settings of a recipe; kept, as lists of runs ask for each run."""
    return RECIPES[recipe].config.scalars()


def _counts(field: str, settings: dict[str, Any]) -> bool:
    """Tell whether a setting has an effect beside the others, and is a choice of the training."""
    by, values = COUNTS_WITH.get(field, ("", ()))
    if field == "micro_batch" and settings[field] >= settings["batch_size"]:
        return False  # the whole batch anyway
    return field not in _ALWAYS_OWN and (not by or settings[by] in values)
