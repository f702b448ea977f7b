"""A sweep at work: its trials are trained on all slots at once, as runs of its owner.

Optuna is asked and told by this process alone, from one thread. A trial that was running when the process ended keeps
its number and its settings, and its run continues after its last whole epoch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from cnnlab.errors import CnnLabError
from cnnlab.jobs.sweep import ERROR, PRUNED_AFTER, RUN, SECONDS, Sweep, SweepError
from cnnlab.jobs.sweep_config import Among, Between, is_whole, typed, with_values
from cnnlab.jobs.trial_pruning import STARTUP_TRIALS
from cnnlab.jobs.trial_training import Ended, Jobs, Training, Trainings
from cnnlab.jobs.webhook import tell
from cnnlab.runs.summary import About, Summary
from cnnlab.threads import ENDED_WITHIN

POLL_SECONDS = 0.1
HOPELESS = 3  # failed trials before any success, after which the sweep ends


@dataclass
class RunningTrial:
    """A trial and its training."""

    trial: Trial
    job: Training
    reported: int  # epochs
    is_pruned: bool = False

    @property
    def number(self) -> int:
        """The number of the trial, from 0 on."""
        return self.trial.number


@dataclass(frozen=True)
class Step:
    """The progress of a sweep at work."""

    running: Sequence[RunningTrial]
    ended: int  # trials
    slots: int


def search(sweep: Sweep, trainings: Trainings | None = None) -> Generator[Step]:
    """Run trials on all slots until their number or the minutes are used up; by default as runs of the sweep's owner.

    Closing the generator abandons the running ones, which continue with the sweep. Raises SweepError where another
    process runs it or its first trials fail, RunError where no run can be kept.
    """
    with sweep.held():
        had_room, searching = sweep.has_room, _Search(sweep, trainings or Jobs(sweep.runs))
        try:
            yield from _walk(searching)
        except CnnLabError as error:
            tell(_message(sweep, str(error)))
            raise
        if had_room and not sweep.has_room:
            tell(_message(sweep))


def _walk(searching: _Search) -> Generator[Step]:
    try:
        while searching.fill():
            yield searching.step
            if not searching.look():
                return
    finally:
        searching.abandon()


def _message(sweep: Sweep, error: str = "") -> dict[str, object]:
    """Return what the webhook is told of a sweep that has ended."""
    complete = [trial for trial in sweep.trials if trial.state == TrialState.COMPLETE and trial.value is not None]
    best = max(complete, key=lambda trial: trial.value or 0.0, default=None)
    return {
        "event": "sweep failed" if error else "sweep ended",
        "sweep": sweep.id,
        "title": sweep.title,
        "status": "failed" if error else "finished",
        "error": error,
        "trials": sweep.ended,
        "best_run": best and best.user_attrs.get(RUN),
        "validation_accuracy": best and best.value,
        "seconds": sweep.seconds,
    }


class _Search:
    """The trials that are being trained, and those that an earlier process left."""

    def __init__(self, sweep: Sweep, trainings: Trainings) -> None:
        self._sweep, self._study, self._config = sweep, sweep.study, sweep.config
        self._trainings = trainings
        self._running: list[RunningTrial] = []
        self._left = deque(trial for trial in sweep.trials if trial.state == TrialState.RUNNING)
        # A sweep that continues must not sample the same values as at its start.
        seed = self._config.seed + len(sweep.trials)
        self._study.sampler = optuna.samplers.TPESampler(n_startup_trials=STARTUP_TRIALS, seed=seed)

    @property
    def step(self) -> Step:
        return Step(tuple(self._running), self._sweep.ended, self._trainings.slots)

    def fill(self) -> bool:
        """Start trials where slots are free; return whether any is running."""
        while len(self._running) < self._trainings.slots:
            if self._left:
                self._continue(self._left.popleft())
            elif self._sweep.may_grow(len(self._running), sum(one.job.seconds for one in self._running)):
                self._start(self._study.ask())
            else:
                break
        return bool(self._running)

    def look(self) -> bool:
        """Wait a moment, report epochs and tell ended trials; return whether the search goes on."""
        self._running[0].job.join(POLL_SECONDS)
        for one in list(self._running):
            is_over = not one.job.is_running  # first: whatever it did before is seen below
            self._report(one)
            if is_over and one.job.is_abandoned:
                return False
            if is_over:
                self._running.remove(one)
                self._tell(one.trial, one.job.summary, one.is_pruned)
        return True

    def abandon(self) -> None:
        """End what is running: it continues with the sweep."""
        for one in self._running:
            if one.job.is_running:
                one.job.abandon()
        until = monotonic() + ENDED_WITHIN  # a long step ends later, and with the process
        for one in self._running:
            one.job.join(max(0.0, until - monotonic()))

    def _start(self, trial: Trial, reported: int = 0) -> None:
        """Start the training of a trial, with the settings that it has, or is given now."""
        base, space = self._config.base, self._config.space
        chosen = {name: typed(name, _suggested(trial, name, values)) for name, values in space.items()}
        if "seed" in chosen:  # trials are compared on the same validation images
            chosen["split_seed"] = base.held_out_by
        sweep = self._sweep.id
        about = About(tags=(f"sweep {sweep}",), note=f"Trial {trial.number} of sweep {sweep}.")
        job = self._trainings.start(with_values(base, chosen), about)
        self._running.append(RunningTrial(trial, job, reported))
        trial.set_user_attr(RUN, job.run.id)

    def _continue(self, known: FrozenTrial) -> None:
        """Continue a trial that an earlier process left: its run, or where that is gone, a new one."""
        trial, reported = Trial(self._study, known._trial_id), max(known.intermediate_values, default=0)
        if PRUNED_AFTER in known.user_attrs:
            self._study.tell(trial, state=TrialState.PRUNED)
            return
        try:
            found = self._trainings.resume(known.user_attrs.get(RUN, ""))
        except CnnLabError:
            self._start(trial, reported)
            return
        if isinstance(found, Ended):
            for epoch in found.history.epochs[reported:]:
                trial.report(epoch["validation_accuracy"], epoch["epoch"])
            self._tell(trial, found.summary)
        else:
            self._running.append(RunningTrial(trial, found, reported))

    def _report(self, one: RunningTrial) -> None:
        """Report the epochs of a trial since the last time, and stop it where it is pruned."""
        for epoch in one.job.history.epochs[one.reported :]:
            if one.is_pruned:
                return
            one.trial.report(epoch["validation_accuracy"], epoch["epoch"])
            one.reported = epoch["epoch"]
            if epoch["epoch"] < one.job.config.epochs and one.trial.should_prune():
                one.is_pruned = True
                one.trial.set_user_attr(SECONDS, epoch["seconds"])
                one.trial.set_user_attr(PRUNED_AFTER, epoch["epoch"])
                one.job.stop()

    def _tell(self, trial: Trial, summary: Summary, is_pruned: bool = False) -> None:
        """Tell what became of a trial. Raises SweepError where the first ones fail."""
        if summary.seconds is not None:
            trial.set_user_attr(SECONDS, summary.seconds)
        if is_pruned:
            self._study.tell(trial, state=TrialState.PRUNED)
        elif summary.status == "failed" or summary.validation_accuracy is None:
            trial.set_user_attr(ERROR, summary.error)
            self._study.tell(trial, state=TrialState.FAIL)
            states = [known.state for known in self._sweep.trials]
            if TrialState.COMPLETE not in states and states.count(TrialState.FAIL) >= HOPELESS:
                raise SweepError(f"the first {HOPELESS} trials failed: {summary.error}")
        else:
            self._study.tell(trial, summary.validation_accuracy)


def _suggested(trial: Trial, name: str, values: Between | Among) -> Any:
    if isinstance(values, Among):
        return trial.suggest_categorical(name, list(values.options))
    if is_whole(name):
        return trial.suggest_int(name, round(values.low), round(values.high), log=values.log)
    return trial.suggest_float(name, values.low, values.high, log=values.log)
