from __future__ import annotations

import optuna
import pytest
from optuna.trial import Trial, TrialState

from cnnlab.jobs.sweep_storage import pruner_of
from cnnlab.jobs.trial_pruning import Halving, Median, PrunerName, Rule, curves, epochs_trained, walk


class Optunas:
    """The same rule, asked of Optuna."""

    def __init__(self, name: PrunerName) -> None:
        self._study = optuna.create_study(direction="maximize", pruner=pruner_of(name))
        self._trials: dict[int, Trial] = {}

    def stops(self, trial: int, epoch: int, value: float) -> bool:
        own = self._trials.get(trial) or self._trials.setdefault(trial, self._study.ask())
        own.report(value, epoch)
        is_over = own.should_prune()
        if is_over:
            self._study.tell(own, state=TrialState.PRUNED)
        return is_over

    def completes(self, trial: int) -> None:
        self._study.tell(self._trials[trial], 0.0)


@pytest.mark.parametrize(("name", "rule"), [("median", Median), ("halving", Halving)])
@pytest.mark.parametrize("slots", [1, 3, 12])
def test_trials_are_stopped_when_optuna_would_stop_them(name: PrunerName, rule: type[Rule], slots: int) -> None:
    accuracies = curves(trials=40, epochs=6, seed=slots)
    trained = walk(accuracies, slots, rule())
    assert trained == walk(accuracies, slots, Optunas(name))
    assert trained < 40 * 6


def test_the_more_run_at_once_the_less_the_median_saves_as_it_waits_for_complete_trials() -> None:
    one, many, all_at_once = (epochs_trained("median", 200, 8, slots) for slots in (1, 40, 200))
    assert one < many < all_at_once == 200 * 8
    assert epochs_trained("halving", 200, 8, 200) < 1.1 * epochs_trained("halving", 200, 8, 1)


def test_without_pruning_every_trial_has_all_its_epochs() -> None:
    assert epochs_trained("none", 7, 5, 3) == 35
