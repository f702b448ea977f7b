from __future__ import annotations

import pytest

from cnnlab import memory
from cnnlab.config import ConfigError, parse_config
from cnnlab.data import DATASETS
from cnnlab.memory import check_memory, needs

SAMPLE = DATASETS["mnist-sample"]


def test_needs_grow_with_what_takes_them() -> None:
    plain = needs(parse_config({}), SAMPLE)
    assert needs(parse_config({"batch_size": 1280}), SAMPLE).activations == 10 * plain.activations
    assert needs(parse_config({"architecture": "accurate"}), SAMPLE).weights > plain.weights
    assert needs(parse_config({"optimizer": "sgd"}), SAMPLE).weights < plain.weights
    assert needs(parse_config({}), DATASETS["cifar10"]).images > plain.images


def test_a_batch_that_does_not_fit_is_refused_with_one_that_does(monkeypatch: pytest.MonkeyPatch) -> None:
    config = parse_config({"batch_size": 4000})
    monkeypatch.setattr(memory, "free_bytes", lambda device: needs(config, SAMPLE).total // 2)
    with pytest.raises(ConfigError, match=r"about \d+\.\d GB of memory, and \d+\.\d GB are free") as refusal:
        check_memory(config, SAMPLE)
    smaller = int(str(refusal.value).partition("lower it to ")[2].split()[0])
    check_memory(config.model_copy(update={"batch_size": smaller}), SAMPLE)


def test_a_network_that_never_fits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda device: 1000)
    with pytest.raises(ConfigError, match="smaller network"):
        check_memory(parse_config({}), SAMPLE)


def test_the_default_fits_here() -> None:
    check_memory(parse_config({}), SAMPLE)
