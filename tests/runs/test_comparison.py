from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cnnlab.palette import PALETTE
from cnnlab.runs.comparison import (
    AXES,
    apart,
    colours,
    comparable_pairs,
    curve,
    differences,
    pareto_front,
    repeats,
    settings_apart,
)
from cnnlab.runs.entry import Entry
from cnnlab.runs.run import Run
from cnnlab.runs.summary import About, Summary
from cnnlab.training.config import Extension, Parent, RunConfig
from cnnlab.training.history import History
from tests.samples import EPOCH, changed, entry_of, lesson


def entry(name: str, is_trained: bool = True, **fields: object) -> Entry:
    summary = Summary(id=name, created=datetime.now(UTC), status="finished")
    saved = (1,) if is_trained else ()
    return entry_of(Run(Path(name)), RunConfig.model_validate(fields), summary, About(), saved)


def history(*accuracies: float, seconds: float = 1.0) -> History:
    made = History()
    for number, accuracy in enumerate(accuracies, 1):
        made.add(replace(EPOCH, epoch=number, step=10 * number, validation_accuracy=accuracy, seconds=seconds * number))
    return made


def test_only_what_differs_is_told() -> None:
    apart = differences({"a": entry("a"), "b": entry("b", learning_rate=0.5), "c": entry("c", architecture="quick")})
    assert set(apart.index) == {"learning rate", "architecture", "layers"}
    assert list(apart.loc["learning rate"]) == ["0.01", "0.5", "0.01"]
    assert differences({"a": entry("a"), "b": entry("b")}).empty


def test_drawings_and_parents_are_told_by_number_and_name() -> None:
    parent = Parent(run="20260101-000000-abc", epoch=7)
    taught, other = (entry(label, parent=parent, lessons=(lesson(label),) * 3) for label in ("7", "1"))
    apart = differences({"a": entry("a"), "b": taught})
    assert list(apart.loc["parent"]) == ["none", "20260101-000000-abc@7"]
    assert [str(told).partition(",")[0] for told in apart.loc["lessons"]] == ["none", "3 drawings"]
    assert list(differences({"a": taught, "b": other}).index) == ["lessons"]


def test_runs_without_a_colour_of_their_own_avoid_those_taken() -> None:
    own = changed(entry("b"), about=About(colour=PALETTE[0].upper()))
    assert colours({"a": entry("a"), "b": own, "c": entry("c")}) == {"a": PALETTE[1], "b": PALETTE[0], "c": PALETTE[2]}
    many = {str(number): entry(str(number)) for number in range(12)}
    assert list(colours(many).values()) == [*PALETTE, *PALETTE[:2]]


def test_settings_are_told_by_their_titles_and_layers_only_of_networks_of_one_name() -> None:
    runs = {"a": entry("a"), "b": entry("b", architecture="quick", optimizer="sgd", dataset="mnist")}
    apart = settings_apart(runs)
    assert list(apart.index) == ["Network", "Data set", "Optimiser"]
    assert apart["b"].tolist() == ["Quick net", "MNIST", "SGD"]


def test_only_runs_tested_on_the_same_images_are_a_pair() -> None:
    def judged(name: str, **support: int) -> Entry:
        made = entry(name)
        update = {"support": support, "per_class": dict.fromkeys(support, 0.5)}
        return changed(made, summary=made.summary.model_copy(update=update))

    runs = {"a": judged("a", x=5), "b": judged("b", x=5), "c": judged("c", x=4), "d": entry("d")}
    assert comparable_pairs(runs) == [("a", "b")]


def test_what_was_done_by_hand_sets_runs_apart() -> None:
    plain, other = entry("a"), entry("b", seed=1)
    more = Extension(after=45, epochs=5, learning_rate=0.001)
    on = changed(other, summary=other.summary.model_copy(update={"extensions": (more,)}))
    turned = changed(other, summary=other.summary.model_copy(update={"rates_set": 2}))
    apart = differences({"plain": plain, "on": on, "turned": turned}).drop(index="seed")
    assert list(apart.loc["trained on"]) == ["no", "5 epochs from 0.001", "no"]
    assert list(apart.loc["learning rate set by hand"]) == ["0", "0", "2"]
    assert on.row["Epochs"] == 50
    assert repeats(plain, [plain, other, on, turned]) == [plain, other]


def test_repeats_differ_by_their_seed_only() -> None:
    runs = [
        entry("a"),
        entry("b", seed=1),
        entry("c", seed=2, epochs=3),
        entry("d", seed=3),
        entry("e", is_trained=False),
    ]
    assert [run.id for run in repeats(runs[0], runs)] == ["a", "b", "d"]
    assert [run.id for run in repeats(runs[2], runs)] == ["c"]


def test_a_curve_over_repeats_has_numpys_mean_and_sample_deviation() -> None:
    accuracies = np.array([[0.5, 0.7, 0.9], [0.4, 0.8, 0.7], [0.6, 0.6, 0.8]])
    made = curve([history(*row.tolist()) for row in accuracies], "validation_accuracy", "epoch")
    assert made["mean"].tolist() == pytest.approx(accuracies.mean(0).tolist())
    assert made["sd"].tolist() == pytest.approx(accuracies.std(0, ddof=1).tolist())
    assert made["runs"].tolist() == [3, 3, 3]


def test_a_single_run_is_its_own_mean_without_deviation() -> None:
    made = curve([history(0.5, 0.7)], "validation_accuracy", "epoch")
    assert made[["x", "mean", "sd", "runs"]].to_numpy().tolist() == [[1, 0.5, 0, 1], [2, 0.7, 0, 1]]
    assert curve([History()], "validation_accuracy", "epoch").empty


@pytest.mark.parametrize(("axis", "places"), [("epoch", [1, 2, 3]), ("step", [10, 20, 30]), ("seconds", [1.5, 3, 3.5])])
def test_curves_lie_along_any_axis_and_count_who_is_still_there(axis: str, places: list[float]) -> None:
    made = curve([history(0.5, 0.7, 0.9), history(0.6, 0.8, seconds=2.0)], "validation_accuracy", axis)
    assert made["x"].tolist() == places
    assert made["runs"].tolist() == [2, 2, 2]
    assert made["training"].tolist() == [2, 2, 1]
    assert axis in AXES


def test_a_run_that_stopped_early_counts_on_with_its_last_value() -> None:
    made = curve([history(0.2, 0.4, 0.6, 0.8), history(0.1, 0.2)], "validation_accuracy", "seconds")
    assert made["mean"].tolist() == pytest.approx([0.15, 0.3, 0.4, 0.5])
    assert made["x"].is_monotonic_increasing


def test_only_runs_that_came_to_their_own_end_are_repeats() -> None:
    whole, stopped = entry("a"), entry("b", seed=1)
    stopped = changed(stopped, summary=stopped.summary.model_copy(update={"status": "stopped"}))
    assert repeats(whole, [whole, stopped]) == [whole]
    assert repeats(stopped, [whole, stopped]) == [stopped]


def test_the_front_is_what_nothing_beats_at_its_cost() -> None:
    rng = np.random.default_rng(0)
    names = [f"run {number}" for number in range(60)]
    cost = pd.Series(rng.integers(1, 20, 60), index=names, dtype=float)
    gain = pd.Series(rng.integers(1, 20, 60), index=names, dtype=float)
    cost["run 0"] = np.nan
    front = set(pareto_front(cost, gain))
    for name in names[1:]:
        is_beaten = any(
            (cost[other] <= cost[name] and gain[other] > gain[name])
            or (cost[other] < cost[name] and gain[other] >= gain[name])
            for other in names[1:]
        )
        alike = [other for other in names[1:] if (cost[other], gain[other]) == (cost[name], gain[name])]
        assert (len(front & set(alike)) == 1) != is_beaten


def test_points_that_hide_each_other_are_drawn_once() -> None:
    x = pd.Series([0.0, 0.001, 100.0, 50.0], index=list("abcd"))
    y = pd.Series([1.0, 1.0, 2.0, 1.5], index=list("abcd"))
    assert list(apart(x, y)) == ["a", "c", "d"]
    assert list(apart(x[:1], y[:1])) == ["a"]
