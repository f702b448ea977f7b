from __future__ import annotations

import numpy as np
import pytest

from cnnlab.forecasting import forecast
from cnnlab.forecasting.forecast import FEWEST, LEVEL, Result, earlier, foreseen, outlook
from cnnlab.runs.summary import Forecast
from cnnlab.training.config import Parent, RunConfig
from cnnlab.training.machine_kind import MachineKind
from tests.forecasting.made import SAMPLE, entry, result

IMAGES = 450
HERE = MachineKind(system="Linux", processor="AVX2", torch="2", device="cpu")
EXTENSION = {"after": 45, "epochs": 5, "learning_rate": 0.001}


def by_law(number: int) -> Result:
    """A result whose error falls with the images and rises with the distance from the best rate."""
    draws = np.random.default_rng(number)
    share, rate = 2 ** -draws.uniform(0, 5), 2 ** -draws.uniform(5, 11)
    error = 0.03 * share**-0.5 * np.exp(0.1 * abs(np.log2(rate) + 8))
    accuracy = draws.binomial(IMAGES, 1 - error) / IMAGES
    return result(accuracy, IMAGES, train_fraction=share, learning_rate=rate)


def of(number: Result, known: list[Result]) -> Forecast:
    return foreseen(number.training, IMAGES, known)


def test_the_interval_holds_the_result_as_often_as_it_says() -> None:
    known = [by_law(number) for number in range(40)]
    fresh = [by_law(number) for number in range(100, 200)]
    told = [of(one, known) for one in fresh]
    held = sum(each.holds(one.accuracy) for each, one in zip(told, fresh, strict=True))
    assert LEVEL - 0.07 <= held / len(fresh) <= LEVEL + 0.08
    mean = np.mean([one.accuracy for one in known])
    errors = [abs(each.accuracy - one.accuracy) for each, one in zip(told, fresh, strict=True)]
    assert np.mean(errors) < 0.6 * np.mean([abs(mean - one.accuracy) for one in fresh])


def test_repeats_tell_nearly_all_but_chance_and_what_is_unlike_all_is_told_widely() -> None:
    known = [result(0.95 + 0.002 * number) for number in range(8)]
    same = of(known[0], known)
    chance = 2 * 1.645 * (0.96 * 0.04 / IMAGES) ** 0.5
    assert same.accuracy == pytest.approx(0.957, abs=0.01)
    assert chance < same.high - same.low < 1.6 * chance
    other = of(result(0.5, epochs=1, optimizer="sgd", learning_rate=0.0005, schedule="constant"), known)
    assert other.high - other.low > 2 * (same.high - same.low)
    assert 0 <= other.low < other.accuracy < other.high <= 1


@pytest.mark.parametrize("accuracy", [0.0, 1.0])
def test_all_or_nothing_is_forecast_too(accuracy: float) -> None:
    told = of(result(0.5), [result(accuracy)] * FEWEST)
    assert told.holds(accuracy)
    assert told.accuracy == pytest.approx(accuracy, abs=0.01)


def test_only_the_most_alike_count_where_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "MOST", 6)
    alike, unlike = [result(0.97)] * 6, [result(0.3, optimizer="sgd", epochs=1)] * 50
    told = of(result(0.5), [*unlike, *alike])
    assert told.accuracy == pytest.approx(0.97, abs=0.01)
    assert told.runs == 56


def test_it_says_how_many_more_runs_it_needs() -> None:
    runs = [entry(str(number), seed=number) for number in range(FEWEST)]
    few = outlook(RunConfig(seed=99), SAMPLE, runs[:-1])
    assert few
    assert (few.runs, few.missing, few.forecast) == (FEWEST - 1, 1, None)
    enough = outlook(RunConfig(seed=99), SAMPLE, runs)
    assert enough
    assert enough.missing == 0
    assert enough.forecast
    assert enough.forecast.accuracy == pytest.approx(0.9, abs=0.01)
    assert outlook(RunConfig(parent=Parent(run="a", epoch=1)), SAMPLE, runs) is None


def test_nothing_is_forecast_far_outside_all_earlier_runs() -> None:
    runs = [entry(str(number), seed=number, learning_rate=0.001 * (1 + number)) for number in range(FEWEST)]
    rates = (0.01, 0.03, 5.0, 1e-5)
    told = [outlook(RunConfig(learning_rate=rate), SAMPLE, runs) for rate in rates]
    assert [one and one.beyond for one in told] == ["", "", "learning_rate", "learning_rate"]
    assert [bool(one and one.forecast) for one in told] == [True, True, False, False]
    longer = outlook(RunConfig(epochs=1000, learning_rate=0.004), SAMPLE, runs)
    assert longer
    assert longer.forecast  # more steps follow a power law


def test_earlier_runs_are_complete_and_as_their_config_says() -> None:
    good = entry("good")
    short = entry("one epoch", epochs=1, seed=7, told={"machines": (HERE,)})
    others = [
        entry("another data set", dataset="mnist"),
        entry("stopped", told={"status": "stopped"}, seed=1),
        entry("not judged", None, seed=2),
        entry("trained on", told={"extensions": (EXTENSION,)}, seed=3),
        entry("rate set by hand", told={"rates_set": 1}, seed=4),
        entry("a branch", parent="x@3", seed=5),
        entry("from elsewhere", epochs=1, seed=6),
        entry("a copy"),
    ]
    assert [one.id for one in earlier("mnist-sample", [good, short, *others])] == ["a copy", "one epoch"]
    assert earlier("mnist-sample", [good]) == [good]
