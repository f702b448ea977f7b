"""The chapter of the training step as AppTest runs it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.learn.loss_surface import SURFACES
from cnnlab.learn.optimisers import OPTIMISERS
from cnnlab.learn.training_step import walk
from cnnlab.ui.learn.step.slow_motion import MOST_STEPS
from tests.pages.driver import button, checked, open_chapter, texts

STAGES = ("forward", "loss", "backward", "update")


@pytest.fixture
def page() -> AppTest:
    return open_chapter("step")


def heading(page: AppTest) -> str:
    return str(page.header[0].value)


def walk_on(page: AppTest) -> None:
    (found,) = [one for one in page.button if one.key == "learn.step.next"]
    checked(found.click().run())


def test_buttons_walk_through_the_stages_to_the_next_step_and_back(page: AppTest) -> None:
    assert button(page, "Back").disabled
    for number in (1, 2):
        for stage in STAGES:
            assert heading(page) == f"Step {number}: {stage}"
            assert page.get("plotly_chart")
            walk_on(page)
    button(page, "Back").click().run()
    assert heading(page) == "Step 2: update"
    button(page, "Reset").click().run()
    assert heading(page) == "Step 1: forward"


def test_a_stage_is_chosen_at_once(page: AppTest) -> None:
    page.segmented_control(key="learn.step.stage").set_value("Backward").run()
    assert heading(checked(page)) == "Step 1: backward"


def test_the_walk_ends_after_its_last_step(page: AppTest) -> None:
    page.session_state["learn.step.taken"] = MOST_STEPS
    page.segmented_control(key="learn.step.stage").set_value("Update").run()
    assert heading(checked(page)) == f"Step {MOST_STEPS}: update"
    assert button(page, "Another step").disabled


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_the_update_shows_the_optimisers_own_arithmetic(page: AppTest, optimiser: str) -> None:
    page.segmented_control(key="learn.step.optimiser").set_value(optimiser)
    page.select_slider(key="learn.step.rate").set_value(0.01)
    page.segmented_control(key="learn.step.stage").set_value("Update").run()
    walk_on(page)
    page.segmented_control(key="learn.step.stage").set_value("Update").run()
    page.segmented_control(key="learn.step.filter").set_value(2)
    page.slider(key="learn.step.weight").set_value(6).run()
    step = walk(optimiser, 0.01, 2)[-1]
    after = step.after["conv.weight"][2, 0, 1, 2].item()
    assert f"= **{after:.4f}**".replace("-", "−") in texts(checked(page))
    assert f"**{step.loss:.4f}** before, **{step.loss_after:.4f}** after" in texts(page)


def test_each_image_is_followed_to_its_own_loss(page: AppTest) -> None:
    (step,) = walk("SGD", 0.1, 1)
    page.segmented_control(key="learn.step.stage").set_value("Loss").run()
    for place in (0, 5):
        page.segmented_control(key="learn.step.image").set_value(place).run()
        assert f"Image {place + 1}: −ln" in texts(page)
        assert f"= **{step.losses[place]:.4f}**" in texts(checked(page))


def test_a_diverged_walk_says_so_and_what_to_do(page: AppTest) -> None:
    page.segmented_control(key="learn.step.optimiser").set_value("Momentum")
    page.select_slider(key="learn.step.rate").set_value(5.0)
    page.session_state["learn.step.taken"] = MOST_STEPS
    page.run()
    assert not page.exception
    assert "lower learning rate" in texts(page) or "too large" in texts(page)


def live_figures(page: AppTest) -> list[Any]:
    """Of charts that change in place."""
    return [
        json.loads(json.loads(element.proto.json)["figure"])
        for element in page.get("bidi_component")
        if "figure" in element.proto.json
    ]


@pytest.mark.parametrize("surface", SURFACES)
def test_every_surface_is_drawn_with_a_way_for_each_optimiser(page: AppTest, surface: str) -> None:
    page.segmented_control(key="learn.chosen.part").set_value("surface").run()
    page.segmented_control(key="learn.step.surface.name").set_value(surface).run()
    ways, losses = live_figures(checked(page))
    assert [trace.get("name") for trace in ways["data"][1:]] == [*OPTIMISERS, "start"]
    assert [trace["name"] for trace in losses["data"]] == list(OPTIMISERS)


def test_a_high_learning_rate_is_told_to_diverge_and_no_optimiser_asks_for_one(page: AppTest) -> None:
    page.segmented_control(key="learn.chosen.part").set_value("surface").run()
    assert "diverged" not in texts(page)
    page.select_slider(key="learn.step.surface.rate.Narrow valley").set_value(0.2).run()
    assert "**SGD** diverged" in texts(checked(page))
    assert "**Adam**: loss" in texts(page)
    page.pills(key="learn.step.surface.optimisers").set_value([]).run()
    assert "Select an optimiser" in texts(checked(page))
    assert not live_figures(page)
