"""A training from the queue to its test: it follows the events, carries out requests, and survives a lost place."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from cnnlab.data.datasets import dataset_spec
from cnnlab.data.download import fetch
from cnnlab.data.loading import Data
from cnnlab.data.spec import DatasetSpec
from cnnlab.data.splits import Split, few_of_each
from cnnlab.jobs.executor import LOCAL, Executor, Work
from cnnlab.jobs.fair_share import Ticket
from cnnlab.jobs.job_progress import JobProgress
from cnnlab.jobs.requests import TrainingRequests
from cnnlab.jobs.resource_sampler import ResourceSampler
from cnnlab.runs.ancestry import data_of, datasets_of
from cnnlab.runs.first_network import last_network
from cnnlab.runs.recorder import Recorder
from cnnlab.runs.run import Run
from cnnlab.training.config import Extension
from cnnlab.training.device import choose_device
from cnnlab.training.events import Event
from cnnlab.training.run_data import check_batches
from cnnlab.training.trainer import LostError, Task

MOST_LOST = 4  # places in a row: then it is the training that ends them

log = logging.getLogger(__name__)


class AbandonedError(Exception):
    """The training was abandoned: it ends without a final test."""


class Execution:
    """The training of a run, in the thread that calls ``train``; requests may come from any, and any may read."""

    def __init__(
        self,
        run: Run,
        threads: int,
        data_folder: Path | None,
        more: Extension | None,
        ticket: Ticket,
        executor: Executor,
    ) -> None:
        self.requests = TrainingRequests()
        self.progress = JobProgress()
        self.recorder = Recorder(run, more)
        self.sampler = ResourceSampler(run, lambda: self.progress.state in ("paused", "queued"))
        self.samples: Split | None = None  # a few validation images; None until they are loaded
        self.readings: Tensor | None = None  # of the samples: (S, classes)
        self.lost_in_a_row = 0  # places, since the last complete epoch
        self._run, self._threads, self._data_folder = run, threads, data_folder
        self._ticket, self._executor = ticket, executor
        self._unconfirmed_rate: float | None = None  # one that was taken and has not shown among the events yet

    def train(self) -> None:
        """Train the run from its last complete epoch on, when its turn comes, and test it.

        Where it loses its place, whoever trains on gets the same numbers from there on. Raises AbandonedError where it
        was abandoned, CnnLabError with a message for the user.
        """
        config = self._run.config
        self.recorder.update(threads=self._threads)  # first: a run that is stopped early continues with as many
        self._executor.open()
        if not (self._fetch_data() and self._take_turn()):
            self._check_abandoned()
            return
        self.progress.state = "loading"
        spec = dataset_spec(config.dataset)
        self._executor.check_memory(config, spec)
        check_batches(config, spec)
        if self._executor is LOCAL:  # else another process trains
            self.sampler.start(choose_device(config.device))
        task, data = self._task(spec), data_of(self._run, self._data_folder)
        while not self._carry_out(task, data):
            self.progress.state = "loading"
            task = replace(self._task(spec), rates=self.rates_so_far())

    def place(self) -> int:
        """Return the position in the queue, from 1 on; 0 where it does not wait."""
        return self._executor.queue.place(self)

    def wake(self) -> None:
        """Have it see a stop also while it waits in the queue."""
        self._executor.queue.wake()

    def leave(self) -> None:
        """Leave the queue."""
        self._executor.queue.leave(self)

    def rates_so_far(self) -> tuple[tuple[int, float], ...]:
        """Return the steps whose rates were set by hand, and these; a requested one is for the next step."""
        rates = [(change["step"], change["learning_rate"]) for change in self.recorder.history.rates]
        if self._unconfirmed_rate is not None:
            rates.append((self.progress.step + 1, self._unconfirmed_rate))
        return tuple(rates)

    def _fetch_data(self) -> bool:
        """Load all data sets before the job enters the queue; return whether that succeeded before a stop."""
        return all(self.requests.have(fetch(name, self._data_folder)) for name in datasets_of(self._run))

    def _take_turn(self) -> bool:
        """Wait in the queue; return whether the turn came before a stop."""
        self.progress.state = "queued"
        return self._executor.queue.take(self, lambda: self.requests.is_stopped, self._ticket)

    def _task(self, spec: DatasetSpec) -> Task:
        """Return what the run begins its next step with."""
        network, started, checkpoint = last_network(self._run, spec)
        return Task(
            config=self._run.config,
            network=network,
            started=started,
            extensions=self.recorder.summary.extensions,
            checkpoint=checkpoint,
            threads=self._threads,
            changes=tuple((change["step"], change["threads"]) for change in self.recorder.history.threads),
        )

    def _carry_out(self, task: Task, data: Data) -> bool:
        """Train and test as far as the place lasts; return whether nothing is left to do."""
        self.recorder.update(started=task.started)
        try:
            work = self._executor.begin(task, data, lambda: self.requests.is_stopped)
            if not work:
                self._check_abandoned()
                return True
            with closing(work):
                self.recorder.begin(task.network, data.spec, task.checkpoint)
                few = data.validation.part(few_of_each(data.validation.labels))
                self.samples = Split(few.images, few.labels)  # copied: a part would keep all images
                done = task.checkpoint.progress if task.checkpoint else None
                self.progress.begin(*((done.step, done.seconds) if done else (0, 0.0)))
                return self._follow_all(work)
        except LostError as error:
            self.lost_in_a_row += 1
            if self.lost_in_a_row > MOST_LOST:
                raise
            log.warning("run %s: %s", self._run.id, error)
            return False

    def _follow_all(self, work: Work) -> bool:
        """Record the events and test; return whether it kept its place until then."""
        for event, saved in work.events():
            self.recorder.add(event, saved)
            if not self._follow(event, work):
                return False
            if self.requests.is_stopped:
                break
        self._check_abandoned()
        self.recorder.end()
        self.progress.state = "judging"
        self._judge(work)
        return True

    def _follow(self, event: Event, work: Work) -> bool:
        """Count the steps and, between two of them, carry out requests; return whether it still has its place."""
        match event.kind:
            case "started":
                self.progress.steps = event.epochs * event.steps_per_epoch
            case "prepared":
                self.progress.prepare(event)
            case "tick":
                self.progress.count(event.step)
                if self.requests.wants_readings:
                    self.requests.wants_readings, self.readings = False, work.read_samples()
            case "epoch":
                self.lost_in_a_row = 0
            case "rate":
                self._unconfirmed_rate = None
            case "finished":
                self.progress.step = self.progress.steps
        has_place = not self._wants_rest(event) or self._rest(work)
        if self.requests.rate is not None and has_place:
            self._unconfirmed_rate = self.requests.take_rate()
            work.change_learning_rate(self._unconfirmed_rate)
        return has_place

    def _wants_rest(self, event: Event) -> bool:
        """Tell whether it is paused, or another should run, between two steps."""
        if event.kind == "tick" and self.requests.is_paused:
            return True
        is_between = event.kind == self._executor.gives_way_after and self.progress.step < self.progress.steps
        return is_between and self._executor.queue.is_over(self)

    def _rest(self, work: Work) -> bool:
        """Let others train while this job is paused and until its turn comes again; return whether it has its place."""
        self.progress.rest()
        self._executor.queue.rest(self)
        has_place = self._executor.patience is None
        if self.requests.is_paused:
            self.progress.state = "paused"
            has_place = self.requests.wait(lambda: not self.requests.is_paused, self._executor.patience)
        if not has_place:
            work.close()
            self.requests.wait(lambda: not self.requests.is_paused)
        self._take_turn()
        rested = self.progress.go_on()
        if has_place:
            work.rest(rested)
        return has_place

    def _judge(self, work: Work) -> None:
        """Evaluate the weights of the last complete (or best) epoch on the test images; the evaluation is counted."""
        if epoch := self.recorder.epoch:
            test = work.judge_test(self._run.weights(epoch), self._check_abandoned)
            self._run.count_look(epoch)
            self.recorder.judge(test, work.judge_train())

    def _check_abandoned(self) -> None:
        if self.requests.is_abandoned:
            raise AbandonedError
