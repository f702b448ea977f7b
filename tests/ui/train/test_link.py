"""Train opened by a link that fills its form in, as AppTest runs it and in a browser."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

import pytest
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from cnnlab.learn.chapters import CHAPTERS
from cnnlab.networks.designs import to_link
from cnnlab.training import device
from cnnlab.training.config import RunConfig
from cnnlab.training.config_link import from_query, to_query
from cnnlab.training.recipes import DEFAULT, RECIPES
from cnnlab.ui.shell.board import the_board
from tests.pages.driver import PAGES, button, checked, new_session, texts
from tests.samples import TINY
from tests.trainings import train


def follow(page: AppTest, name: str = "Train", **query: str) -> AppTest:
    """Come to a page by a link."""
    page.query_params.clear()
    for parameter, value in query.items():
        page.query_params[parameter] = value
    page.switch_page(PAGES[name])
    return page.run()


def epochs(page: AppTest) -> int:
    return int(page.number_input(key="form.epochs").value or 0)


def handed_out(page: AppTest) -> RunConfig:
    """What the page's own link to its settings asks for."""
    (code,) = [block.value for block in page.code if "recipe=" in block.value]
    return from_query(dict(parse_qsl(code.partition("?")[2])))


def test_a_link_fills_in_the_form() -> None:
    page = checked(follow(new_session(), recipe="basic-cnn", epochs="2", augmentation="shift"))
    assert page.selectbox(key="form.recipe").value == "basic-cnn"
    assert page.selectbox(key="form.architecture").value == "basic-cnn"
    assert page.selectbox(key="form.augmentation").value == "shift"
    assert epochs(page) == 2
    assert handed_out(page) == RECIPES["basic-cnn"].config.model_copy(update={"epochs": 2, "augmentation": "shift"})


def test_a_link_cannot_ask_a_cpu_for_what_it_is_hopelessly_slow_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "devices", lambda: ["cpu"])
    page = checked(follow(new_session(), recipe="quick", precision="float16"))
    precision = page.selectbox(key="form.precision")
    assert precision.value == "auto"
    assert "float16" not in precision.options
    assert handed_out(page) == RECIPES["quick"].config


def test_what_is_edited_afterwards_stays_until_the_link_is_followed_again() -> None:
    page = checked(follow(new_session(), recipe="quick"))
    page.number_input(key="form.epochs").set_value(7).run()
    page.selectbox(key="form.optimizer").set_value("sgd").run()
    assert epochs(page) == handed_out(page).epochs == 7
    follow(page, "Inside")
    assert epochs(checked(follow(page))) == 7
    follow(page, "Inside")
    assert epochs(checked(follow(page, recipe="quick"))) == RECIPES["quick"].config.epochs
    assert epochs(checked(follow(page, recipe="quick", epochs="3"))) == 3


def test_a_linked_design_is_trained() -> None:
    page = checked(follow(new_session(), design=to_link(TINY), epochs="1", train_fraction="0.05"))
    assert handed_out(page).architecture == TINY
    button(page, "Train").click().run()
    job = the_board().jobs[str(page.query_params["run"])]
    job.join()
    own = {"architecture": TINY, "epochs": 1, "train_fraction": 0.05}
    assert job.config == RECIPES[DEFAULT].config.model_copy(update=own)
    checked(page.run())
    assert set(page.query_params) == {"run"}  # so that a reload finds the run


def test_a_link_wins_over_the_run_that_the_session_is_about() -> None:
    run = train(learning_rate=0.02, train_fraction=0.1)
    page = checked(follow(new_session(), run=run.id, epochs="4"))
    assert epochs(page) == 4
    assert page.number_input(key="form.learning_rate").value == RunConfig().learning_rate
    assert run.title in texts(page).replace("\\", "")


def test_a_wrong_link_is_told_and_the_form_keeps_its_values() -> None:
    page = checked(follow(new_session(), epochs="5"))
    follow(page, epoch="3")
    assert "did you mean epochs" in page.warning[0].value
    assert epochs(page) == 5
    assert not button(page, "Train").disabled


def test_a_link_with_mistakes_gives_what_is_sound_until_training_starts() -> None:
    page = follow(new_session(), recipe="basic-cnn", epochs="1", train_fraction="0.05", momentum="much", colour="red")
    assert len(page.warning) == 1
    assert "momentum" in page.warning[0].value
    assert "colour" in page.warning[0].value
    config = RECIPES["basic-cnn"].config.model_copy(update={"epochs": 1, "train_fraction": 0.05})
    assert handed_out(page) == config
    button(page, "Train").click().run()
    job = the_board().jobs[str(page.query_params["run"])]
    job.join()
    assert job.config == config
    assert not page.run().warning
    assert set(page.query_params) == {"run"}


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapters_doors_ask_for_what_can_be(name: str) -> None:
    for door in CHAPTERS[name].doors:
        if door.page in ("Train", "Sweep"):
            assert to_query(from_query(door.query))


def test_a_link_serves_sweep_too() -> None:
    page = checked(follow(new_session(), "Sweep", recipe="basic-cnn", weight_decay="0.002"))
    assert page.number_input(key="form.weight_decay").value == 0.002


def test_a_link_is_copied_and_opens_the_same_settings(address: str, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(f"{address}/Train?recipe=basic-cnn&epochs=2")
    field = page.get_by_label("Epochs", exact=True)
    expect(field).to_have_value("2")
    field.fill("3")
    field.press("Tab")
    page.get_by_role("button", name="Link to these settings").click()
    link = page.get_by_text("recipe=", exact=False)
    expect(link).to_contain_text("epochs=3")
    told = link.inner_text().strip()
    assert told == f"{address}/Train?recipe=basic-cnn&epochs=3"
    other = new_page(420)
    other.goto(told)
    expect(other.get_by_label("Epochs", exact=True)).to_have_value("3")
