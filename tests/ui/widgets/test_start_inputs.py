"""The form's part about weights to start from, as AppTest runs it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.pretrained.table import BACKBONES
from cnnlab.runs.run import Run
from cnnlab.training.config import RunConfig
from cnnlab.training.recipes import RECIPES
from cnnlab.ui.shell import session
from tests.pages.driver import button, checked, open_page, texts
from tests.samples import TINY
from tests.trainings import train


def asked_for(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> RunConfig:
    """What a click on Train would train."""
    taken: list[RunConfig] = []
    monkeypatch.setattr(session, "start", lambda config, provable: taken.append(config))
    checked(button(page, "Train").click().run())
    return taken[0]


def test_a_recipe_starts_from_published_weights_and_says_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page("Train", recipe="transfer", dataset="mnist-sample")
    assert page.selectbox(key="form.start").value == "lite0"
    assert page.selectbox(key="form.learn_from").value == "linear1"
    assert "19 MB, licence Apache-2.0" in texts(page)
    expected = RECIPES["transfer"].config.model_copy(update={"dataset": "mnist-sample"})
    assert asked_for(page, monkeypatch) == expected


def test_the_size_of_images_is_a_setting_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page("Train", recipe="transfer", dataset="mnist-sample")
    checked(page.number_input(key="form.image_size").set_value(96).run())
    assert asked_for(page, monkeypatch).architecture == BACKBONES["lite0"].network(96)


def test_more_layers_may_learn_at_a_lower_rate_and_other_weights_need_another_scale(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = open_page("Train", dataset="mnist-sample")
    assert not [box for box in page.selectbox if box.key == "form.start"]  # nothing fits the default network
    checked(page.selectbox(key="form.architecture").select("resnet18").run())
    checked(page.selectbox(key="form.start").select("resnet18").run())
    checked(page.selectbox(key="form.learn_from").select("block7").run())
    checked(page.number_input(key="form.start_rate").set_value(0.1).run())
    config = asked_for(page, monkeypatch)
    assert (str(config.start), config.learn_from, config.start_rate) == ("resnet18", "block7", 0.1)
    assert config.normalise == "imagenet"


def test_without_weights_all_layers_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page("Train", recipe="transfer", dataset="mnist-sample")
    checked(page.selectbox(key="form.start").select("").run())
    config = asked_for(page, monkeypatch)
    assert (config.start, config.learn_from, config.start_rate) == (None, "", 1.0)


@pytest.fixture
def own() -> Run:
    return train(architecture=TINY, epochs=1, train_fraction=0.05)


def test_ones_own_run_can_be_started_from(own: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page("Train", own)
    checked(page.selectbox(key="form.start").select(f"{own.id}@1").run())
    config = asked_for(page, monkeypatch)
    assert config.start
    assert config.start.name == f"{own.id}@1"


def test_weights_that_are_to_be_fetched_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACKBONES, "resnet18", replace(BACKBONES["resnet18"], megabytes=47.0))
    page = open_page("Train", architecture="resnet18", start="resnet18", normalise="imagenet", dataset="mnist-sample")
    assert "47 MB to download when training starts" in texts(page)
