"""Trials that are real trainings, but sleep between their steps, as if they were carried out elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import sleep

from cnnlab.data.loading import Data
from cnnlab.jobs.executor import Local
from cnnlab.jobs.fair_share import Ticket
from cnnlab.jobs.job import Job
from cnnlab.jobs.queue import TrainingQueue
from cnnlab.runs.ancestry import inherited
from cnnlab.runs.run import RunError
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import About
from cnnlab.training.config import RunConfig
from cnnlab.training.trainer import Report, Task, Trainer

STEP_SECONDS = 0.5


class SleepyTrainer(Trainer):
    """A training that sleeps after each step, as one that is carried out elsewhere."""

    def events(self) -> Iterator[Report]:
        """Yield the events of the training."""
        for event, saved in super().events():
            if event.kind == "tick":
                sleep(STEP_SECONDS)
            yield event, saved


class OnSlots(Local):
    """This process, with the slots of a queue."""

    def __init__(self, queue: TrainingQueue, trainer: type[Trainer]) -> None:
        self.queue, self._trainer = queue, trainer

    def begin(self, task: Task, data: Data, gives_up: Callable[[], bool]) -> Trainer:
        """Begin at once."""
        return self._trainer(task, data)


class SleepyTrials:
    """Trials that sleep between their steps, on all slots of a queue."""

    def __init__(self, store: RunStore, queue: TrainingQueue) -> None:
        self.slots = queue.slots
        self.begun: list[Job] = []
        self._store, self._executor = store, OnSlots(queue, SleepyTrainer)

    def start(self, config: RunConfig, about: About) -> Job:
        """Start a new run."""
        run = self._store.create(inherited(config, self._store))
        job = Job(run, threads=1, ticket=Ticket("sweep", is_trial=True), executor=self._executor)._begun()
        self.begun.append(job)
        return job

    def resume(self, run_id: str) -> Job:
        """Refuse: nothing is left to be continued."""
        raise RunError(f"there is no run {run_id}")
