"""The forecast on Train: before a training, kept with it, and beside what came."""

from __future__ import annotations

import pytest

from cnnlab.forecasting.forecast import FEWEST
from cnnlab.jobs.job import running_jobs
from cnnlab.people.belonging import give
from cnnlab.people.rights import Person
from cnnlab.people.rules import ClassRules
from cnnlab.runs.run import Run
from cnnlab.runs.summary import Forecast
from cnnlab.training.config import Parent
from cnnlab.ui.shell import person
from cnnlab.ui.shell.state import FORM_PARENT
from tests.forecasting.made import repeated
from tests.pages.driver import button, checked, open_page, texts

ADA, BEN = "a" * 32, "b" * 32


def test_it_says_how_many_more_runs_a_forecast_needs(finished_run: Run) -> None:
    assert f"after {FEWEST} more finished runs on MNIST sample" in texts(open_page("Train"))
    repeated(finished_run, FEWEST - 1)
    assert "after 1 more finished run on MNIST sample" in texts(open_page("Train", seed="3"))


def test_a_training_keeps_the_forecast_that_was_shown_and_is_judged_by_it(finished_run: Run) -> None:
    repeated(finished_run, FEWEST)
    page = open_page("Train", architecture="quick", epochs="1", train_fraction="0.05")
    shown = next(text for text in texts(page).splitlines() if "Validation accuracy about" in text)
    assert f"from {FEWEST} earlier runs" in shown
    button(page, "Train").click().run()
    (job,) = running_jobs()
    job.join()
    kept = job.run.summary.forecast
    assert kept
    assert (kept.runs, f"**Validation accuracy about {kept.accuracy:.1%}**" in shown) == (FEWEST, True)
    assert f"Forecast before the start: validation accuracy {kept.accuracy:.1%}" in texts(open_page("Train", job.run))


@pytest.mark.parametrize(
    ("low", "said"), [(0.1, "higher and within the interval"), (0.999, "higher and outside the interval")]
)
def test_a_result_is_told_beside_its_forecast(low: float, said: str, listed_run: Run) -> None:
    told = Forecast(accuracy=0.5, low=low, high=1.0, runs=9)
    for run in (listed_run, *repeated(listed_run, 2)):
        run.write_summary(run.summary.model_copy(update={"forecast": told}))
    assert said in texts(open_page("Train", listed_run))
    listed_run.write_summary(listed_run.summary.model_copy(update={"rates_set": 1}))
    assert "Forecast before" not in texts(open_page("Train", listed_run))


def test_the_record_stands_below_a_forecast(finished_run: Run) -> None:
    accuracy = finished_run.summary.validation_accuracy or 0.0
    told = Forecast(accuracy=accuracy + 0.0005, low=accuracy - 0.1, high=accuracy + 0.0005, runs=9)
    for run in repeated(finished_run, FEWEST):
        run.write_summary(run.summary.model_copy(update={"forecast": told}))
    assert f"Of your last {FEWEST} forecasts, 1 held the result; median error 0.4 points." in texts(open_page("Train"))


def test_a_branch_is_not_forecast(listed_run: Run) -> None:
    page = open_page("Train", listed_run)
    assert "can be forecast" in texts(page)
    page.session_state[FORM_PARENT.name] = Parent(run=listed_run.id, epoch=1)
    assert "can be forecast" not in texts(checked(page.run()))


def test_forecasts_in_a_class_are_made_from_the_runs_that_one_may_see(
    finished_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for run in repeated(finished_run, FEWEST):
        give(run.folder, ADA)
    monkeypatch.setattr(person, "class_rules", lambda: ClassRules(code="blue whale"))
    monkeypatch.setattr(person, "browser_token", lambda: "k" * 43)
    for who, said in ((BEN, f"after {FEWEST} more finished runs"), (ADA, "Validation accuracy about")):
        monkeypatch.setattr(person, "me", lambda who=who: Person("member", who, "Somebody"))
        assert said in texts(open_page("Train"))
