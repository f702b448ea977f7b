"""From the click to the first step of somebody's training: without a sweep, and beside a wide one, in pairs.

Its trials are real trainings that sleep between their steps. Without it, they and the sweep itself stand still.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from random import Random
from statistics import median
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

from benchmarks.sleepy_trials import STEP_SECONDS, OnSlots, SleepyTrials
from cnnlab.jobs.fair_share import Ticket
from cnnlab.jobs.job import Job
from cnnlab.jobs.queue import TrainingQueue
from cnnlab.jobs.search import search
from cnnlab.jobs.sweep import Sweep, SweepStore
from cnnlab.jobs.sweep_config import SweepConfig
from cnnlab.runs.ancestry import inherited
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig
from cnnlab.training.trainer import Trainer

PAIRS, WIDE = 20, 30
TRAINED = {"architecture": "quick", "optimizer": "sgd"}
TRIAL = TRAINED | {"epochs": 1000, "batch_size": 16}
SPACE = {"learning_rate": {"low": 0.0001, "high": 1.0, "log": True}}

Figures = dict[str, Any]


def measure(store: SweepStore) -> Figures:
    """Measure pairs of first steps, in each by chance the one beside the sweep before the other or after it."""
    queue, draws = TrainingQueue(WIDE), Random(0)
    config = SweepConfig.model_validate({"base": TRIAL, "space": SPACE, "pruner": "none", "trials": WIDE})
    figures: dict[str, list[float]] = {"without": [], "beside": []}
    with at_work(store.create(config), queue) as sweep:
        _first_step(store.runs, queue)  # which only warms up
        for _ in range(PAIRS):
            for kind in draws.sample(list(figures), 2):
                sweep.set_going(kind == "beside")
                sleep(draws.uniform(1, 1 + STEP_SECONDS))  # so that clicks and trials' steps are not in time
                figures[kind].append(_first_step(store.runs, queue))
    return {"wide": WIDE, **figures}


def line(figures: Figures) -> str:
    """Write the figures as an item of a Markdown list."""
    pairs = list(zip(figures["without"], figures["beside"], strict=True))
    return (
        f"- from the click to the first step of somebody else's training: median {median(figures['without']):.3f} s, "
        f"beside a sweep of {figures['wide']} trials on {figures['wide']} slots {median(figures['beside']):.3f} s: "
        f"{median(beside / without for without, beside in pairs):.2f} times, the median of {len(pairs)} pairs"
    )


class AtWork:
    """A sweep whose trials train on all slots, and which can be made to stand still."""

    def __init__(self, trials: list[Job]) -> None:
        self.may_look, self.is_over = Event(), Event()
        self._trials = trials

    def set_going(self, is_going: bool) -> None:
        """Let it and its trials work, one after the other, or stand still; wait until all do."""
        (self.may_look.set if is_going else self.may_look.clear)()
        for trial in self._trials:
            (trial.go_on if is_going else trial.pause)()
            sleep(STEP_SECONDS / len(self._trials))  # else all would step at once from then on
        while any(trial.state != ("training" if is_going else "paused") for trial in self._trials):
            sleep(0.01)

    def end(self) -> None:
        """Have the thread that looks after the trials end."""
        self.is_over.set()
        self.may_look.set()


@contextmanager
def at_work(sweep: Sweep, queue: TrainingQueue) -> Iterator[AtWork]:
    """Run a sweep on all slots of a queue; at the end, its trials are abandoned."""
    with closing(search(sweep, trials := SleepyTrials(sweep.runs, queue))) as steps:
        while sum(job.step > 0 for job in trials.begun) < queue.slots:
            next(steps)
        working = AtWork(trials.begun)
        walker = Thread(target=lambda: all(working.may_look.wait() and not working.is_over.is_set() for _ in steps))
        walker.start()
        try:
            yield working
        finally:
            working.end()
            walker.join()


def _first_step(store: RunStore, queue: TrainingQueue) -> float:
    """Return the seconds from the start of a training to its first step."""
    began = monotonic()
    run = store.create(inherited(RunConfig.model_validate(TRAINED), store))
    job = Job(run, threads=1, ticket=Ticket("a pupil"), executor=OnSlots(queue, Trainer))._begun()
    while not job.step:
        sleep(0.002)
    taken = monotonic() - began
    job.abandon()
    job.join()
    return taken
