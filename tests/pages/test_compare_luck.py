"""Compare as AppTest runs it: the noise of seeds, what the seed decides, and the best run's accuracy corrected."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.jobs.job import running_jobs
from cnnlab.runs.run import Run
from cnnlab.runs.summary import About
from tests.pages.driver import PAGES, button, checked, new_session, open_page, texts
from tests.samples import TINY
from tests.trainings import train


def compare(view: str, *runs: Run) -> AppTest:
    """A view of Compare with these runs selected."""
    page = open_page("Compare", compare=",".join(run.id for run in runs))
    return checked(page.segmented_control(key="compare.view").set_value(view).run())


def test_better_is_what_differs_by_more_than_the_seeds() -> None:
    good = [train(architecture=TINY, seed=seed) for seed in range(3)]
    page = compare("Which is better?", good[0], train(architecture=TINY, train_fraction=0.02))
    assert "is better, by more than chance and by more than the seeds' noise" in texts(page)
    assert "judged by 3 and 1 seeds" in texts(page)
    page = compare("Which is better?", *good[:2])
    assert "Noise of seeds: " in texts(page)
    assert "is better" not in texts(page)


def test_what_the_seed_decides_is_shown_once_there_are_three() -> None:
    run = train(architecture=TINY, train_fraction=0.2)
    page = compare("Luck", run)
    assert "Here is 1." in texts(page)
    (offer,) = [one for one in page.button if one.label.startswith("Train 2 more seeds, ")]
    offer.click().run()
    assert "2 more seeds in training or in the queue" in texts(checked(page))
    for job in running_jobs():
        job.join()
    page = checked(page.run())
    assert "The seed decides" in texts(page)
    assert "most undecided of" in texts(page)
    page.session_state["compare.image"] = 3  # as a click leaves it
    assert "Test image 4" in texts(checked(page.run()))


def test_compare_lists_repeats_in_one_row_with_mean_and_spread() -> None:
    other = train(train_fraction=0.05)
    runs = [train(train_fraction=0.2, seed=seed) for seed in range(3)]
    assert len(open_page("Compare").dataframe[0].value) == 2  # the two that are selected at first are no repeats
    page = compare("Curves", runs[1], other)
    table = page.dataframe[0].value
    assert len(table) == 2
    folded = table[table["Seeds"] == 3].iloc[0]
    accuracies = [100 * (run.summary.test_accuracy or 0) for run in runs]
    assert folded["Test"] == pytest.approx(np.mean(accuracies))
    assert folded["± points"] == pytest.approx(np.std(accuracies, ddof=1))
    assert "4 of 4 runs in 2 rows" in texts(page)
    assert len(checked(page.toggle(key="compare.folded").set_value(False).run()).dataframe[0].value) == 4


def test_compare_corrects_the_best_accuracy_for_the_choice() -> None:
    runs = [train(train_fraction=0.2, seed=seed) for seed in range(3)]
    looks = sum(run.looks for run in runs)
    page = compare("Test set", runs[0])
    assert [metric.value for metric in page.metric] == ["3", str(looks), "0"]
    button(page, "Correct the best accuracy").click().run()
    best = max(run.summary.test_accuracy or 0 for run in runs)
    assert f"not {best:.2%}.** " in texts(checked(page))
    assert "best of 3 runs on these 500 test images" in texts(page)
    assert sum(run.looks for run in runs) == looks


def test_compare_corrects_nothing_where_nothing_was_chosen() -> None:
    assert "One run was not chosen" in texts(compare("Test set", train(train_fraction=0.2)))


def test_results_wait_for_who_guesses_first_and_are_scored_on_validation() -> None:
    good, worse, _ = train(epochs=2), train(train_fraction=0.05), train(train_fraction=0.2)
    good.write_about(About(title="Good"))
    page = new_session(compare=f"{good.id},{worse.id}")
    page.session_state["guess.habit"] = "guess"
    checked(page.switch_page(PAGES["Compare"]).run())
    assert page.dataframe[0].value[["Test", "Validation", "Train"]].isna().all(axis=None)
    assert not [one for one in page.segmented_control if one.key == "compare.axis"]  # of the curves
    page.segmented_control(key="compare.view").set_value("Settings").run()
    assert len(checked(page).dataframe) == 2  # which settings differ helps to guess
    page.radio[0].set_value("Good")
    (amount,) = [one for one in page.number_input if one.label == "By how many points?"]
    amount.set_value(0)
    button(page, "Guess").click().run()
    accuracies = [100 * (run.summary.validation_accuracy or 0) for run in (good, worse)]
    assert "**Right: Good.**" in texts(checked(page)).replace("\\", "")
    assert page.session_state["guess.scored"][0].off == pytest.approx(accuracies[1] - accuracies[0], abs=0.01)
    told = page.dataframe[0].value["Validation"]
    assert told[[good.id, worse.id]].tolist() == pytest.approx(accuracies)
    assert told.isna().sum() == 1  # of the run that is not selected
    page.segmented_control(key="compare.view").set_value("Curves").run()
    assert [one for one in checked(page).segmented_control if one.key == "compare.axis"]


def test_a_guess_of_a_run_renamed_meanwhile_is_asked_again() -> None:
    runs = train(train_fraction=0.2), train(train_fraction=0.05)
    page = new_session(compare=",".join(run.id for run in runs))
    page.session_state["guess.habit"] = "guess"
    checked(page.switch_page(PAGES["Compare"]).run())
    page.radio[0].set_value(page.radio[0].options[0])
    next(one for one in page.number_input if one.label == "By how many points?").set_value(1)
    runs[0].write_about(About(title="Renamed"))
    button(page, "Guess").click().run()
    assert "guess.scored" not in checked(page).session_state
    page.radio[0].set_value("Renamed")
    button(page, "Guess").click().run()
    assert len(checked(page).session_state["guess.scored"]) == 1
