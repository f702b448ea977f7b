"""Set-ups as links: every config comes back, and what is wrong is told in one line."""

from __future__ import annotations

from hashlib import sha1

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from cnnlab.data.datasets import DATASETS
from cnnlab.networks.designs import DesignError, to_link
from cnnlab.networks.layers import Linear
from cnnlab.networks.presets import PRESETS
from cnnlab.training.config import ConfigError, Parent, RunConfig
from cnnlab.training.config_link import MAX_TOLD, from_query, to_query, without_mistakes
from cnnlab.training.recipes import DEFAULT, RECIPES
from tests.samples import TINY, lesson


def choices(field: str) -> SearchStrategy[str]:
    return st.sampled_from(RunConfig.model_fields[field].annotation.__args__)  # type: ignore[union-attr]


CHOSEN = ("optimizer", "schedule", "class_balance", "augmentation", "normalise", "precision")
CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "dataset": st.sampled_from(list(DATASETS)),
        "architecture": st.sampled_from([*PRESETS.values(), TINY]),
        "epochs": st.integers(1, 1000),
        "batch_size": st.integers(1, 10_000),
        "micro_batch": st.integers(0, 10_000),
        "learning_rate": st.floats(0, 10, exclude_min=True),
        "momentum": st.floats(0, 1, exclude_min=True, exclude_max=True),
        "nesterov": st.booleans(),
        "step_factor": st.floats(0, 1, exclude_min=True, exclude_max=True),
        "weight_decay": st.floats(0, 1),
        "gradient_clipping": st.floats(0, 1000),
        "weight_average": st.floats(0, 1, exclude_max=True),
        "mixup": st.floats(0, 10),
        "cutmix": st.floats(0, 10),
        "train_fraction": st.floats(0.01, 1),
        "excluded": st.lists(st.integers(0, 59_999), max_size=100).map(lambda many: ",".join(map(str, many))),
        "seed": st.integers(0, 2**32 - 1),
        "split_seed": st.none() | st.integers(0, 2**32 - 1),
        **{name: choices(name) for name in CHOSEN},
    },
).map(RunConfig.model_validate)


@given(CONFIGS)
@settings(max_examples=100, deadline=None)
def test_every_config_comes_back_from_its_link(config: RunConfig) -> None:
    assert from_query(to_query(config)) == config


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipes_link_is_its_name(name: str) -> None:
    assert to_query(RECIPES[name].config) == {"recipe": name}


def test_a_link_says_only_what_differs() -> None:
    config = RECIPES["basic-cnn"].config.model_copy(update={"epochs": 2, "nesterov": False})
    assert to_query(config) == {"recipe": "basic-cnn", "epochs": "2", "nesterov": "false"}
    tiny = RECIPES[DEFAULT].config.model_copy(update={"architecture": TINY})
    assert to_query(tiny) == {"recipe": DEFAULT, "design": to_link(TINY)}


def test_what_a_link_leaves_out_is_the_recipes() -> None:
    assert from_query({}) == RECIPES[DEFAULT].config
    config = from_query({"recipe": "quick", "dataset": "fashion-mnist", "augmentation": "shift"})
    assert config == RECIPES["quick"].config.model_copy(update={"dataset": "fashion-mnist", "augmentation": "shift"})


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"epoch": "2"}, "there is no setting 'epoch': did you mean epochs?"),
        ({"x\n" * 500: "2"}, "there is no setting"),
        ({"epochs": "two"}, "epochs: not a whole number"),
        ({"epochs": "1001"}, "epochs: at most 1,000"),
        ({"epochs": "9" * 5000}, "epochs: longer than 60 characters"),
        ({"learning_rate": "nan"}, "learning_rate: at most 10"),
        ({"excluded": "3,-1"}, "excluded: write indices from 0 with commas between them, such as 3,17, not '3,-1'"),
        ({"excluded": ",".join(map(str, range(101)))}, "excluded: at most 100 images can be left out, these are 101"),
        ({"excluded": "1," * 5000}, "excluded: longer than 1,000 characters"),
        ({"recipe": "cake"}, "recipe: there is no 'cake': choose one of lean"),
        ({"dataset": "imagenet"}, "dataset: there is no 'imagenet': choose one of mnist-sample"),
        ({"architecture": "huge"}, "architecture: unknown architecture 'huge'"),
        ({"architecture": "quick", "design": to_link(TINY)}, "design: the link also has an architecture"),
        ({"design": "%%%"}, "the link is damaged"),
        ({"design": "A" * 7000}, "the link is too long"),
        ({"parent": "run@1"}, "there is no setting 'parent'"),
        ({"warmup_epochs": "45", "schedule": "step"}, "warmup_epochs must be fewer than the epochs"),
        ({"momentum": "0", "optimizer": "sgd"}, "nesterov needs a momentum above 0"),
    ],
)
def test_what_is_wrong_is_told_in_one_short_line(query: dict[str, str], told: str) -> None:
    with pytest.raises((ConfigError, DesignError)) as refusal:
        from_query(query)
    assert str(refusal.value).startswith(told)
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 600


def test_a_mistake_in_a_link_leaves_the_other_settings() -> None:
    query = {"epochs": "9", "batch_size": "none", "momentum": "0", "nesterov": "false", "colour": "red", "seed": "-1"}
    sound, told = without_mistakes(query)
    assert sound == {"epochs": "9", "momentum": "0", "nesterov": "false"}
    assert [line.partition(":")[0] for line in told[1:]] == ["batch_size", "seed"]
    assert told[0].startswith("there is no setting 'colour'")
    assert without_mistakes({"epochs": "50", "warmup_epochs": "45"}) == ({"epochs": "50", "warmup_epochs": "45"}, [])
    assert len(without_mistakes({f"x{number}": "" for number in range(9)})[1]) == MAX_TOLD


def test_a_design_that_cannot_be_trained_is_told() -> None:
    headless = TINY.model_copy(update={"layers": TINY.layers[:-1]})
    with pytest.raises(ConfigError, match="the last layer must be linear"):
        from_query({"design": to_link(headless)})


def test_what_goes_on_from_another_network_has_no_link() -> None:
    for fields in ({"parent": Parent(run="a", epoch=1)}, {"lessons": (lesson(),)}):
        with pytest.raises(ConfigError, match="has no link"):
            to_query(RunConfig.model_validate(fields))


def test_a_network_too_large_for_an_address_has_no_link() -> None:
    digests = [sha1(bytes([number])).hexdigest() for number in range(190)]
    hidden = [Linear(out_features=10, name=f"layer{digest[:35]}") for digest in digests]
    large = TINY.model_copy(update={"layers": (*TINY.layers[:-1], *hidden, TINY.layers[-1])})
    with pytest.raises(ConfigError, match="too large for a link"):
        to_query(RunConfig(architecture=large))
