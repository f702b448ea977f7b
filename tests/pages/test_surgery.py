"""Surgery on Inside: a click answers at once, undo brings everything back, the result becomes a run."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.networks.operations import Operation
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.ui.inspect import surgery
from cnnlab.ui.shell.state import SURGERY_CLICKED
from tests.pages.driver import button, checked, metrics, open_page, texts
from tests.trainings import train


@pytest.fixture(autouse=True)
def nothing_cached() -> None:
    surgery._patient.clear()
    surgery._answers.clear()


@pytest.fixture
def page(listed_run: Run) -> AppTest:
    return open_page("Inside", listed_run, view="Surgery")


def click(page: AppTest, unit: int) -> AppTest:
    page.session_state[SURGERY_CLICKED.name] = unit  # as the figure's click leaves it
    return checked(page.run())


def test_a_filter_goes_off_and_on_and_undo_brings_the_answers_back(page: AppTest) -> None:
    before = metrics(page)
    assert before["Answers changed"] == "0"
    assert "Every class keeps its accuracy." in texts(page)
    layer = next(box for box in page.selectbox if box.label == "Layer")
    layer.set_value("conv2").run()
    click(page, 3)
    after = metrics(page)
    assert "1. conv2 3 off" in texts(page)
    click(page, 3)
    assert "2. conv2 3 on" in texts(page)
    assert metrics(page) == before
    button(page, "Undo").click().run()
    assert metrics(page) == after
    button(page, "Undo").click().run()
    assert metrics(page) == before
    button(page, "Redo").click().run()
    assert metrics(page) == after
    button(page, "Start over").click().run()
    assert metrics(checked(page)) == before
    assert button(page, "Start over").disabled


def test_the_accuracy_comes_before_the_tools_so_that_a_phone_shows_both(page: AppTest) -> None:
    labels = [getattr(node, "label", "") for node in page.main]
    assert labels.index("Accuracy") < labels.index("Layer") < labels.index("Switched off in conv1")


def test_the_keyboard_s_way_names_the_filters_that_are_off(page: AppTest) -> None:
    (chosen,) = [box for box in page.multiselect if box.label == "Switched off in conv1"]
    chosen.set_value([0, 5]).run()
    assert "1. conv1 0, 5 off" in texts(checked(page))
    (chosen,) = [box for box in page.multiselect if box.label == "Switched off in conv1"]
    chosen.set_value([5]).run()
    assert "2. conv1 0 on" in texts(checked(page))


def test_a_whole_layer_goes_off_and_the_classes_lose_all_but_one(page: AppTest) -> None:
    button(page, "Layer off").click().run()
    assert "loses most" in texts(checked(page))
    assert metrics(page)["Accuracy"] == "10.0%"
    assert button(page, "Layer on")


def test_a_layer_is_pruned_and_swapped(page: AppTest, listed_run: Run) -> None:
    button(page, "Switch off the weakest").click().run()
    assert "1. weakest 25% of conv1 off" in texts(checked(page))
    page.selectbox(key=f"surgery.epoch.{listed_run.id}").set_value(0).run()
    button(page, "Swap conv1").click().run()
    assert "2. conv1 from epoch 0" in texts(checked(page))


def test_a_swap_that_would_leak_held_out_images_is_refused(listed_run: Run) -> None:
    other = train(seed=1, train_fraction=0.1)
    page = open_page("Inside", listed_run, view="Surgery")
    page.selectbox(key="surgery.source").set_value(other.id).run()
    button(page, "Swap conv1").click().run()
    assert page.warning[0].proto.title == "Not possible"
    assert "images that are held out here" in texts(page)
    assert button(page, "Undo").disabled


def test_the_result_is_kept_as_a_run(page: AppTest, listed_run: Run) -> None:
    click(page, 2)
    button(page, "Keep it").click().run()
    assert any("of the test images right" in success.value for success in page.success)
    (branch,) = [run for run in RunStore(runs_folder()).all() if run.id != listed_run.id]
    assert branch.config.operations == (Operation(kind="off", layer="conv1", filters=(2,)),)
    shown = open_page("Inside", branch, view="Surgery")
    assert "made by surgery" in texts(checked(shown))
