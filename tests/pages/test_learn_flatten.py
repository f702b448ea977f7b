"""The chapter "Why not flatten the image" as AppTest runs it: empty, running, finished, several tried."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.data.loading import load
from cnnlab.jobs.worker import Worker
from cnnlab.learn.dense_vs_conv import Contest, Terms, contestants, moved, parameters, probabilities, to_guess
from cnnlab.learn.shipped import shipped_contest
from tests.pages.driver import PAGES, button, checked, new_session, open_chapter, texts

KEY = "learn.flatten"


def chapter() -> AppTest:
    return open_chapter("flatten")


def work(page: AppTest) -> Worker[Contest]:
    experiment: Worker[Contest] = page.session_state["learn.trials"][f"{KEY}.contest"].work
    return experiment


def begin(page: AppTest) -> AppTest:
    page.button(key=f"{KEY}.contest.begin").click().run()
    return checked(page)


def finish(page: AppTest) -> AppTest:
    work(begin(page)).join()
    return checked(page.run())


def test_it_opens_with_results_that_were_computed_beforehand_and_a_digit_to_shift() -> None:
    page = chapter()
    assert "Computed beforehand on" in texts(page)
    assert "Press the button" not in texts(page)
    shipped = shipped_contest(Terms())
    assert shipped
    checked(page.slider(key=f"{KEY}.right").set_value(4).run())
    for name in shipped.reached.answers:
        said = shipped.reached.answer(name, 4, 4, 0)
        assert f"The **{name}** network says **{said.index(max(said))}** ({max(said):.0%})" in texts(page)
    page.slider(key=f"{KEY}.epochs").set_value(3).run()
    assert "Press the button" in texts(checked(page))


def test_a_seed_out_of_bounds_is_told_and_nothing_is_computed_in_its_place() -> None:
    page = chapter()
    page.number_input(key=f"{KEY}.seed").set_value(1000).run()
    assert "It must be at least 0 and at most 999." in texts(checked(page))
    assert not [button for button in page.button if button.key == f"{KEY}.contest.begin"]
    assert "network says" not in texts(page)


def test_it_shows_both_networks_with_their_costs() -> None:
    page = chapter()
    data = load("mnist-sample")
    for name, architecture in contestants("flattened", data.spec).items():
        assert f"**{name.capitalize()}**: {parameters(architecture, data.spec):,} parameters" in texts(page)


def test_while_they_train_it_can_be_stopped() -> None:
    page = chapter()
    page.slider(key=f"{KEY}.epochs").set_value(30).run()
    begin(page)
    page.button(key=f"{KEY}.contest.stop").click().run()
    work(page).join()
    assert "Stopped before its end." in texts(checked(page.run()))


def test_at_the_end_a_digit_is_moved_and_what_was_tried_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    data = load("mnist-sample")
    few = replace(data, train=data.train.part(slice(400)), validation=data.validation.part(slice(100)))
    monkeypatch.setattr("cnnlab.ui.learn.flatten._data", lambda: few)
    page = chapter()
    page.slider(key=f"{KEY}.epochs").set_value(2).run()
    finish(page)
    page.button_group(key=f"{KEY}.digit").set_value("7").run()
    page.slider(key=f"{KEY}.right").set_value(-5).run()
    checked(page.slider(key=f"{KEY}.down").set_value(2).run())
    reached = work(page).latest
    assert reached
    image = moved(data.test.images[data.test.labels == 7][:1], -5, 2)
    for name, network in reached.networks.items():
        said = probabilities(network, image, data)[0]
        assert f"The **{name}** network says **{said.argmax()}** ({said.max():.0%})" in texts(page)
    page.toggle(key=f"{KEY}.shuffled").set_value(True).run()
    finish(page)
    (table,) = (found.value for found in page.dataframe)
    assert list(table["Pixels"]) == ["in place"] * 4 + ["shuffled"] * 2
    assert list(table["Epochs"]) == [10, 10, 2, 2, 2, 2]
    first = [100 * reached.by_shift[name][0] for name in ("dense", "convolutional")]
    assert table["0 px"].tolist()[2:4] == pytest.approx(first)
    assert work(page).latest.terms == Terms(is_shuffled=True, epochs=2)  # type: ignore[union-attr]


def test_a_result_waits_for_a_guess_and_settings_with_another_result_for_another() -> None:
    page = new_session(chapter="flatten")
    page.session_state["guess.habit"] = "guess"
    checked(page.switch_page(PAGES["Learn"]).run())
    assert "Shift the test images" not in texts(page)
    page.radio(key=f"guess.choice.{to_guess(Terms()).ask.id}").set_value("dense")
    button(page, "Guess").click().run()
    assert "**Not quite: “convolutional”.**" in texts(checked(page)).replace("\\", "")
    assert "Shift the test images" in texts(page)
    page.button_group(key=f"{KEY}.augmentation").set_value("shift").run()
    assert "Shift the test images" not in texts(checked(page))
    page.button_group(key=f"{KEY}.augmentation").set_value("none").run()
    assert "Not quite" in texts(checked(page))
