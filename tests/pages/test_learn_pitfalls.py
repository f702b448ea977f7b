"""The chapter "Traps" as AppTest runs it."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.learn.pitfalls import PITFALLS
from cnnlab.training.config_link import from_query
from cnnlab.ui.learn.pitfalls import DOORS
from cnnlab.ui.shell.glossary_links import linked
from tests.pages.driver import checked, metrics, open_chapter, texts


def chapter(trap: str = "") -> AppTest:
    return open_chapter("traps", **({"trap": trap} if trap else {}))


def fallen(page: AppTest, slug: str) -> AppTest:
    """Press the button, wait until all is measured, look again."""
    page.button(key=f"learn.traps.{slug}.begin").click().run()
    page.session_state["learn.trials"][f"learn.traps.{slug}"].work.join()
    return checked(page.run())


def asked(page: AppTest) -> object:
    value = page.query_params["trap"]
    return value[0] if isinstance(value, list) else value


@pytest.mark.parametrize("slug", PITFALLS)
def test_a_trap_tells_its_story_before_anyone_falls_into_it(slug: str) -> None:
    page, trap = chapter(slug), PITFALLS[slug]
    assert page.selectbox(key="learn.traps.chosen").value == slug
    assert [code.value for code in page.code] == list(trap.code)
    told = texts(page)
    assert trap.story in told
    assert linked(trap.notice) in told
    assert "Press the button" in told
    assert trap.symptom not in told
    assert not page.metric


def test_the_address_follows_the_choice() -> None:
    page = chapter()
    assert page.selectbox(key="learn.traps.chosen").value == "unscaled"
    page.selectbox(key="learn.traps.chosen").set_value("labels").run()
    assert asked(checked(page)) == "labels"
    assert PITFALLS["labels"].story in texts(page)


def test_a_trap_that_does_not_exist_is_told_and_the_first_is_shown() -> None:
    page = chapter("quicksand")
    assert "This pitfall does not exist" in page.warning[0].value
    assert PITFALLS["unscaled"].story in texts(page)
    page.selectbox(key="learn.traps.chosen").set_value("eval").run()
    assert not checked(page).warning


def test_who_falls_in_sees_the_symptom_the_mend_and_pytorchs_own_words() -> None:
    page = fallen(chapter("flatten"), "flatten")
    assert metrics(page)["The linear layer expects"] == "800 → 128"
    assert "mat1 and mat2 shapes cannot be multiplied (64x128 and 800x256)" in page.code[2].value
    assert PITFALLS["flatten"].symptom in texts(page)
    assert len(page.dataframe) == 1


def test_a_picture_comes_with_the_figures_and_stays_while_another_trap_is_looked_at() -> None:
    page = fallen(chapter("first-four"), "first-four")
    assert metrics(page)["Test images counted"] == "40 → 500"
    assert len(page.get("plotly_chart")) == 1
    chosen = page.selectbox(key="learn.traps.chosen")
    chosen.set_value("eval").run()
    assert not page.metric
    page.selectbox(key="learn.traps.chosen").set_value("first-four").run()
    assert metrics(checked(page))["Test images counted"] == "40 → 500"


def test_another_seed_makes_the_figures_those_of_the_one_before() -> None:
    page = fallen(chapter("flatten"), "flatten")
    assert "settings before" not in texts(page)
    page.number_input(key="learn.traps.seed").set_value(1).run()
    assert "settings before" in texts(page)
    assert "settings before" not in texts(fallen(page, "flatten"))


def test_every_trap_has_a_door_and_those_to_train_have_settings_that_can_be() -> None:
    assert DOORS.keys() == PITFALLS.keys()
    to_train = [door for door in DOORS.values() if door.page == "Train"]
    assert to_train
    for door in to_train:
        assert from_query(door.query).dataset == "mnist-sample"


def test_a_seed_out_of_bounds_is_told_and_cannot_be_run() -> None:
    page = chapter()
    page.number_input(key="learn.traps.seed").set_value(-1).run()
    assert "It must be at least 0 and at most 999." in texts(checked(page))
    assert not [button for button in page.button if button.label == "Run both"]
