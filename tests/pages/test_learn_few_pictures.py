"""The chapter "From a million photos" as AppTest runs it: empty, running, finished."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.data.datasets import DATASETS
from cnnlab.jobs.worker import Worker
from cnnlab.learn.few_pictures import MANY_STEPS, Compared, Terms
from tests.pages.driver import checked, open_chapter, texts

KEY = "learn.few_pictures"


def chapter() -> AppTest:
    return open_chapter("transfer")


def work(page: AppTest) -> Worker[Compared]:
    experiment: Worker[Compared] = page.session_state["learn.trials"][f"{KEY}.trial"].work
    return experiment


def begin(page: AppTest) -> AppTest:
    return checked(page.button(key=f"{KEY}.trial.begin").click().run())


def test_before_it_begins_it_says_how_many_trainings_and_on_what_they_are_judged() -> None:
    page = chapter()
    assert "12 trainings, each tested on about 500 validation images" in texts(page)
    assert "Grey characters look like no photo" in texts(page)
    assert "Computed beforehand on" in texts(page)
    assert "Fine-tuning takes several times as long" not in texts(page)
    page.button_group(key=f"{KEY}.ways").set_value(["fine-tuned", "frozen"]).run()
    assert "Fine-tuning takes several times as long" in texts(checked(page))


def test_without_a_way_there_is_nothing_to_compare() -> None:
    page = chapter()
    checked(page.button_group(key=f"{KEY}.ways").set_value([]).run())
    assert "Choose at least one way" in texts(page)
    assert not [button for button in page.button if button.key == f"{KEY}.trial.begin"]


def test_a_small_data_set_says_which_numbers_it_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    few = replace(DATASETS["mnist-sample"], name="few", title="Few photos", sizes=(400, 50), is_drawn=False)
    monkeypatch.setitem(DATASETS, few.name, few)
    page = chapter()
    checked(page.selectbox(key=f"{KEY}.dataset").set_value(few.name).run())
    assert "enough for 10 or 20 pictures per class" in texts(page)
    assert "tested on about 200 validation images" in texts(page)
    assert "Grey characters" not in texts(page)


def test_while_it_runs_it_can_be_stopped() -> None:
    page = begin(chapter())
    page.button(key=f"{KEY}.trial.stop").click().run()
    work(page).join()
    assert "Stopped before its end." in texts(checked(page.run()))


def test_at_the_end_there_are_a_table_and_a_door_to_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MANY_STEPS, "epochs", 2)
    page = chapter()
    page.button_group(key=f"{KEY}.ways").set_value(["from scratch"])
    checked(page.slider(key=f"{KEY}.seeds").set_value(2).run())
    work(begin(page)).join()
    checked(page.run())
    reached = work(page).latest
    assert reached
    assert reached.terms == Terms(ways=("from scratch",), seeds=2)
    (table,) = (found.value for found in page.dataframe)
    assert list(table["Pictures per class"]) == [10, 20]
    assert list(table["Mean, %"]) == pytest.approx([100 * point.mean for point in reached.points])
    assert "± one standard deviation" in texts(page)
    assert any(link.proto.label.startswith("“from scratch” on") for link in page.get("page_link"))
