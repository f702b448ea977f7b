"""The chapter "What makes training better" as AppTest runs it: empty, running, finished."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.jobs.worker import Worker
from cnnlab.learn.ablation import Terms
from cnnlab.learn.repeats import Repeats, effects
from cnnlab.learn.shipped import shipped_ablation
from tests.pages.driver import checked, open_chapter, texts

pytestmark = pytest.mark.slow

KEY = "learn.ablation"


def chapter() -> AppTest:
    return open_chapter("ablation")


def small(page: AppTest, key: str = KEY) -> AppTest:
    page.slider(key=f"{key}.epochs").set_value(5)
    return checked(page.slider(key=f"{key}.seeds").set_value(2).run())


def work(page: AppTest, key: str) -> Worker[Repeats]:
    experiment: Worker[Repeats] = page.session_state["learn.trials"][f"{key}.trial"].work
    return experiment


def finish(page: AppTest, key: str = KEY) -> Repeats:
    checked(page.button(key=f"{key}.trial.begin").click().run())
    work(page, key).join()
    checked(page.run())
    latest = work(page, key).latest
    assert latest
    return latest


def check_table(page: AppTest, reached: Repeats) -> None:
    (table,) = (found.value for found in page.dataframe)
    found = effects(reached.accuracies)
    assert list(table["Training"]) == list(reached.accuracies)
    assert list(table["Mean, %"]) == pytest.approx([100 * effect.mean for effect in found])
    assert list(table["From"])[1:] == pytest.approx([100 * effect.low for effect in found[1:]])
    assert list(table["Verdict"]) == ["baseline", *(effect.verdict for effect in found[1:])]


def test_it_opens_with_results_that_were_computed_beforehand_and_says_how_long_it_takes_here() -> None:
    page = chapter()
    assert "25 trainings, about" in texts(page)
    assert "tested on 2,250 images" in texts(page)
    assert "seeds 0 to 4" in texts(page)
    shipped = shipped_ablation(Terms())
    assert shipped
    check_table(page, shipped.reached)
    page.slider(key=f"{KEY}.seeds").set_value(3)
    page.button_group(key=f"{KEY}.parts").set_value(["dropout", "mixup"]).run()
    fewer = shipped_ablation(Terms(parts=("dropout", "mixup"), seeds=3))
    assert fewer
    check_table(checked(page), fewer.reached)
    page.select_slider(key=f"{KEY}.images").set_value(4000).run()
    assert "tested on 500 images" in texts(checked(page))
    assert "Press the button" in texts(page)


def test_without_a_part_there_is_nothing_to_try() -> None:
    page = chapter()
    checked(page.button_group(key=f"{KEY}.parts").set_value([]).run())
    assert "Select at least one part" in texts(page)
    assert not [button for button in page.button if button.key == f"{KEY}.trial.begin"]


def test_while_it_runs_it_can_be_stopped() -> None:
    page = chapter()
    checked(page.button(key=f"{KEY}.trial.begin").click().run())
    page.button(key=f"{KEY}.trial.stop").click().run()
    work(page, KEY).join()
    assert "Stopped before its end." in texts(checked(page.run()))


def test_one_part_taken_away_is_judged_and_both_go_on_in_train() -> None:
    page = small(chapter())
    page.button_group(key=f"{KEY}.way").set_value("remove")
    page.button_group(key=f"{KEY}.parts").set_value(["dropout"]).run()
    reached = finish(page)
    assert reached.terms == Terms("remove", ("dropout",), 250, 5, 2)
    check_table(page, reached)
    assert f"“{'− dropout'}” on all of MNIST" in [link.proto.label for link in page.get("page_link")]


def test_transfer_has_a_baseline_of_its_own() -> None:
    page = chapter()
    page.button_group(key=f"{KEY}.subject").set_value("transfer").run()
    page.select_slider(key="learn.transfer.images").set_value(25)
    reached = finish(small(page, "learn.transfer"), "learn.transfer")
    assert next(iter(reached.accuracies)) == "from scratch"
    check_table(page, reached)
