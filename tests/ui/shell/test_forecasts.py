from __future__ import annotations

from collections.abc import Iterator

import pytest

from cnnlab.data.spec import DatasetError
from cnnlab.forecasting.forecast import FEWEST
from cnnlab.people.belonging import give
from cnnlab.people.rights import Person
from cnnlab.runs.run import Run
from cnnlab.runs.summary import Forecast
from cnnlab.training.config import RunConfig
from cnnlab.ui.shell import forecasts, person
from tests.forecasting.made import repeated

TOLD = Forecast(accuracy=0.9, low=0.8, high=1.0, runs=12)


@pytest.fixture
def administrator(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(person, "me", lambda: Person("administrator"))
    yield


@pytest.mark.usefixtures("administrator")
def test_a_config_is_forecast_from_the_runs_of_the_server(finished_run: Run) -> None:
    assert forecasts.forecast_for(RunConfig()) is None
    repeated(finished_run, FEWEST)
    told = forecasts.forecast_for(finished_run.config)
    assert told
    assert told.runs == FEWEST


@pytest.mark.usefixtures("administrator")
def test_a_data_set_that_is_gone_has_no_outlook(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise DatasetError(name)

    monkeypatch.setattr(forecasts, "dataset_spec", missing)
    assert forecasts.outlook_for(RunConfig(seed=123)) is None


def test_the_record_is_of_ones_own_trainings(finished_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = "a" * 32
    for number, run in enumerate(repeated(finished_run, 3)):
        run.write_summary(run.summary.model_copy(update={"forecast": TOLD}))
        if number:
            give(run.folder, ada)
    found = []
    for somebody in (Person("administrator"), Person("member", ada), Person("member", "b" * 32)):
        monkeypatch.setattr(person, "me", lambda somebody=somebody: somebody)
        known = forecasts.own_record()
        found.append(known.forecasts if known else 0)
    assert found == [1, 2, 0]
