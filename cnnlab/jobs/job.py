"""A training in a background thread: start, pause, stop, continue, and its progress."""

from __future__ import annotations

import logging
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from time import monotonic
from traceback import format_exception
from typing import Literal

import torch
from torch import Tensor

from cnnlab.data.datasets import dataset_spec
from cnnlab.data.download import fetch
from cnnlab.data.loading import Data
from cnnlab.data.spec import DatasetSpec
from cnnlab.data.splits import Split, few_of_each
from cnnlab.errors import CnnLabError
from cnnlab.jobs.executor import LOCAL, Executor, Work, chosen
from cnnlab.jobs.queue import TrainingQueue, training_queue
from cnnlab.jobs.requests import Requests
from cnnlab.jobs.resource_sampler import ResourceSampler
from cnnlab.jobs.webhook import tell_end
from cnnlab.runs.ancestry import data_of, datasets_of, inherited
from cnnlab.runs.disk import check_training
from cnnlab.runs.first_network import last_network
from cnnlab.runs.recorder import Recorder
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import Summary
from cnnlab.threads import WorkerThread
from cnnlab.training.config import MAX_EPOCHS, ConfigError, Extension, RunConfig, last_epoch, parse_extension
from cnnlab.training.device import choose_device, threads_each
from cnnlab.training.events import Event, Prepared
from cnnlab.training.history import History
from cnnlab.training.memory import SHORT_OF_MEMORY, ran_out
from cnnlab.training.resources import Sample
from cnnlab.training.run_data import check_batches
from cnnlab.training.trainer import LostError, Task

State = Literal["queued", "loading", "preparing", "training", "paused", "judging", "finished", "stopped", "failed"]

MOST_LOST = 4  # places in a row: then it is the training that ends them

log = logging.getLogger(__name__)

end_listeners: list[Callable[[Run], object]] = []  # called in a training's thread when it has ended or failed
_jobs: weakref.WeakSet[Job] = weakref.WeakSet()


class _AbandonedError(Exception):
    """The job was abandoned: it ends without a final test."""


class Job:
    """The training of one run in a thread of its own, independent of the pages that watch it.

    It counts for its ``owner`` in the queue, and starts after the owner's earlier ones where all are ``in_order``. The
    training of a trial gives its slot up to others' trainings at once, and the webhook does not tell of its end.
    Everything public may be called from any thread.
    """

    def __init__(
        self,
        run: Run,
        threads: int,
        data_folder: Path | None = None,
        more: Extension | None = None,
        owner: str = "",
        in_order: bool = False,
        is_trial: bool = False,
        executor: Executor = LOCAL,
    ) -> None:
        self.run = run
        self.config: RunConfig = run.config
        self.threads = threads
        self.owner = owner
        self._in_order = in_order
        self._is_trial = is_trial
        self.state: State = "loading"
        self.error = ""
        self.details = ""  # of an unexpected error: its traceback
        self.step = 0
        self.steps = 0  # of the whole run; 0 until known
        self._executor = executor
        self._data_folder = data_folder
        self._recorder = Recorder(run, more)
        self._sampler = ResourceSampler(run, lambda: self.state in ("paused", "queued"))
        self._wanted_rates: deque[float] = deque(maxlen=1)  # the latest request
        self._unconfirmed_rate: float | None = None  # one that was requested and has not shown among the events yet
        self._lost_in_a_row = 0  # places, since the last complete epoch
        self._requests = Requests()
        self._abandoned = False
        self._training_since = 0.0
        self._seconds_before = 0.0  # of the epochs before this training
        self._resting_since = 0.0  # of the running pause; 0: it trains
        self._preparing_since = 0.0
        self.prepared: Prepared | None = None  # how far the features of frozen layers are
        self.samples: Split | None = None  # a few validation images; None until they are loaded
        self._readings: Tensor | None = None  # of the samples: (S, classes)
        self._wants_readings = False
        self._worker = WorkerThread(self._work, self.abandon, name=f"train {run.id}")

    @classmethod
    def start(
        cls,
        config: RunConfig,
        store: RunStore,
        threads: int | None = None,
        *,
        owner: str = "",
        in_order: bool = False,
        is_trial: bool = False,
        provable: bool = False,
    ) -> Job:
        """Create the run's folder and start when its turn comes; a branch gets its parent's split.

        It runs on at most ``threads`` torch threads, by default those of one training here. A ``provable`` run keeps
        the checkpoint of each epoch. Raises RunError where the folder cannot be written or all runs together are too
        large, ConfigError where a branch names another split.
        """
        whole = inherited(config, store)
        check_training(store.folder, whole, provable=provable)
        run = store.create(whole, provable)
        most = threads or threads_each(config.threads)
        return cls(run, most, executor=chosen(), owner=owner, in_order=in_order, is_trial=is_trial)._begun()

    @classmethod
    def resume(
        cls,
        run: Run,
        epochs: int = 0,
        learning_rate: float | None = None,
        threads: int | None = None,
        *,
        owner: str = "",
        in_order: bool = False,
        is_trial: bool = False,
    ) -> Job:
        """Continue a run where it ended, and train ``epochs`` more after its last epoch.

        These start with ``learning_rate``, by default a tenth of the config's. On as many threads as before, which is
        the default, the run gets the same numbers as one that was never interrupted. Raises RunError where it is being
        trained, cannot run on this machine, has no readable checkpoint, has all its epochs and ``epochs`` is 0, or all
        runs together are too large, ConfigError where the rate is invalid.
        """
        executor = chosen()
        try:
            executor.check_device(run.config)
        except ConfigError as error:
            raise RunError(f"run {run.id} cannot continue here: {error}") from error
        summary = run.summary
        if summary.status == "running":
            raise RunError(f"run {run.id} is being trained")
        run.checkpoint()  # which the run goes on from: where it is missing, nothing of the run changes
        done = run.whole_epochs
        if done + epochs > MAX_EPOCHS:
            raise RunError(f"run {run.id} has {done} epochs, and a run can have at most {MAX_EPOCHS}: choose fewer")
        if not epochs and summary.status == "finished":
            raise RunError(f"run {run.id} has all its epochs: set how many more to train")
        more = parse_extension(done, epochs, learning_rate or run.config.learning_rate / 10) if epochs else None
        check_training(run.folder.parent, further(run, epochs), done, run.checkpoints.are_kept)
        most = threads or summary.threads or threads_each(run.config.threads)
        return cls(run, most, more=more, owner=owner, in_order=in_order, is_trial=is_trial, executor=executor)._begun()

    def _begun(self) -> Job:
        _jobs.add(self)
        self._worker.start()
        return self

    @property
    def summary(self) -> Summary:
        """The run's summary, in memory."""
        return self._recorder.summary

    @property
    def history(self) -> History:
        """The metrics so far; an epoch enters them after its weights and metrics are on disk."""
        return self._recorder.history

    @property
    def resources(self) -> list[Sample]:
        """What the training took so far, second by second."""
        return self._sampler.samples

    @property
    def is_running(self) -> bool:
        return self.state not in ("finished", "stopped", "failed")

    @property
    def _queue(self) -> TrainingQueue:
        """The queue of its executor."""
        return self._executor.queue or training_queue

    @property
    def place(self) -> int:
        """The position in the queue of trainings, from 1 on; 0 where it does not wait."""
        return self._queue.place(self)

    @property
    def epochs(self) -> int:
        """The number of epochs at the end."""
        return last_epoch(self.config, self.summary.extensions)

    @property
    def is_stopping(self) -> bool:
        """Whether an end was requested and has not come yet."""
        return self.is_running and self._requests.is_stopped

    @property
    def is_abandoned(self) -> bool:
        return self._abandoned

    @property
    def progress(self) -> float:
        """The share of the steps done, 0…1; before them, of the images whose features are known."""
        if self.state == "preparing" and self.prepared:
            return self.prepared.images / self.prepared.of
        return self.step / self.steps if self.steps else 0.0

    @property
    def threads_now(self) -> int:
        """The torch threads of the running step."""
        changes = self.history.threads
        return changes[-1]["threads"] if changes else self.threads

    @property
    def seconds(self) -> float:
        """Seconds since the first step could start, pauses left out; 0 before."""
        return (self._resting_since or monotonic()) - self._training_since if self._training_since else 0.0

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the speed so far; None before the first step, and before the first image's features."""
        if self.state == "preparing" and self.prepared and self.prepared.images:
            passed = monotonic() - self._preparing_since
            return passed / self.prepared.images * (self.prepared.of - self.prepared.images)
        if not self.step or self.state != "training":
            return None
        return self.seconds / self.step * (self.steps - self.step)

    def pause(self) -> None:
        """Request a pause after the running step; another training may run meanwhile."""
        self._requests.pause()

    def go_on(self) -> None:
        """End the pause, when its turn comes."""
        self._requests.go_on()

    def change_learning_rate(self, rate: float) -> None:
        """Request another learning rate from the next step on; the schedule keeps its shape."""
        self._wanted_rates.append(rate)

    @property
    def learning_rate(self) -> float | None:
        """The requested learning rate, else the last step's; None before the first."""
        latest = self.history.steps[-1]["learning_rate"] if self.history.steps else None
        return next(iter(tuple(self._wanted_rates)), latest)

    def read_samples(self) -> Tensor | None:
        """Return the latest class probabilities of the samples, (S, classes), and request newer ones.

        They cost the training a forward pass of a few images, so they are computed only for those who watch.
        """
        self._wants_readings = True
        return self._readings

    def stop(self) -> None:
        """Request an end after the running step, overriding other requests; complete epochs are saved and tested."""
        self._requests.stop()
        self._queue.wake()

    def abandon(self) -> None:
        """Request an end without a final test: the run shows as interrupted."""
        self._abandoned = True
        self.stop()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the job has ended, or ``timeout`` seconds."""
        self._worker.join(timeout)

    def _work(self) -> None:
        torch.set_num_threads(self.threads)  # applies only to the calling thread
        try:
            with self.run.held(), closing(self._sampler):
                if not self._recorder.is_current:
                    raise RunError(f"run {self.run.id} was just trained elsewhere: reload it")
                self._train_or_fail()
        except RunError as error:  # another process trains it, or the folder is read-only: files on disk stay
            self._end_failed(str(error))
        finally:
            self._queue.leave(self)

    def _train_or_fail(self) -> None:
        try:
            self._train()
            self._end()
        except _AbandonedError:
            self.state = "stopped"
        except CnnLabError as error:  # its message says what to do
            self._fail(str(error))
        except Exception as error:  # a defect
            log.exception("run %s failed", self.run.id)
            self.details = "".join(format_exception(error))
            self._fail(SHORT_OF_MEMORY if ran_out(error) else f"{type(error).__name__}: {error}")

    def _train(self) -> None:
        """Train the run from its last complete epoch on, when its turn comes, and test it.

        Where it loses its place, whoever trains on gets the same numbers from there on.
        """
        config = self.config
        self._recorder.update(threads=self.threads)  # first: a run that is stopped early continues with as many
        self._executor.open()
        if not (self._fetch_data() and self._take_turn()):
            self._check_abandoned()
            return
        self.state = "loading"
        spec = dataset_spec(config.dataset)
        self._executor.check_memory(config, spec)
        check_batches(config, spec)
        if self._executor is LOCAL:  # else another process trains
            self._sampler.start(choose_device(config.device))
        task, data = self._task(spec), data_of(self.run, self._data_folder)
        while not self._carry_out(task, data):
            self.state = "loading"
            task = replace(self._task(spec), rates=self._rates_so_far())

    def _task(self, spec: DatasetSpec) -> Task:
        """Return what the run begins its next step with."""
        network, started, checkpoint = last_network(self.run, spec)
        return Task(
            config=self.config,
            network=network,
            started=started,
            extensions=self.summary.extensions,
            checkpoint=checkpoint,
            threads=self.threads,
            changes=tuple((change["step"], change["threads"]) for change in self.history.threads),
        )

    def _rates_so_far(self) -> tuple[tuple[int, float], ...]:
        """Return the steps whose rates were set by hand, and these; a requested one is for the next step."""
        rates = [(change["step"], change["learning_rate"]) for change in self.history.rates]
        if self._unconfirmed_rate is not None:
            rates.append((self.step + 1, self._unconfirmed_rate))
        return tuple(rates)

    def _carry_out(self, task: Task, data: Data) -> bool:
        """Train and test as far as the place lasts; return whether nothing is left to do."""
        self._recorder.update(started=task.started)
        try:
            work = self._executor.begin(task, data, lambda: self._requests.is_stopped)
            if not work:
                self._check_abandoned()
                return True
            with closing(work):
                self._recorder.begin(task.network, data.spec, task.checkpoint)
                few = data.validation.part(few_of_each(data.validation.labels))
                self.samples = Split(few.images, few.labels)  # copied: a part would keep all images
                progress = task.checkpoint.progress if task.checkpoint else None
                self._begin_steps(*((progress.step, progress.seconds) if progress else (0, 0.0)))
                return self._follow_all(work)
        except LostError as error:
            self._lost_in_a_row += 1
            if self._lost_in_a_row > MOST_LOST:
                raise
            log.warning("run %s: %s", self.run.id, error)
            return False

    def _follow_all(self, work: Work) -> bool:
        """Record the events and test; return whether it kept its place until then."""
        for event, saved in work.events():
            self._recorder.add(event, saved)
            if not self._follow(event, work):
                return False
            if self._requests.is_stopped:
                break
        self._check_abandoned()
        self._recorder.end()
        self.state = "judging"
        self._judge(work)
        return True

    def _judge(self, work: Work) -> None:
        """Evaluate the weights of the last complete (or best) epoch on the test images; the evaluation is counted."""
        if epoch := self._recorder.epoch:
            test = work.judge_test(self.run.weights(epoch), self._check_abandoned)
            self.run.count_look(epoch)
            self._recorder.judge(test, work.judge_train())

    def _end(self) -> None:
        """Close the run: stopped where an end was requested before its last step, else finished."""
        is_whole = self.steps and self.step == self.steps
        state: Literal["finished", "stopped"] = "finished" if is_whole or not self._requests.is_stopped else "stopped"
        self._recorder.update(status=state)
        self.state = state
        self._tell_end()

    def _fetch_data(self) -> bool:
        """Load all data sets before the job enters the queue; return whether that succeeded before a stop."""
        return all(self._requests.have(fetch(name, self._data_folder)) for name in datasets_of(self.run))

    def _take_turn(self) -> bool:
        """Wait in the queue; return whether the turn came before a stop."""
        self.state = "queued"
        return self._queue.take(
            self, lambda: self._requests.is_stopped, self.owner, self._in_order, yields=self._is_trial
        )

    def _begin_steps(self, step: int, seconds: float) -> None:
        """Begin with the next step after ``step``, which was done ``seconds`` after the first began."""
        self.step, self._seconds_before = step, seconds
        self._training_since = monotonic() - seconds
        self.state = "training"

    def _follow(self, event: Event, work: Work) -> bool:
        """Count the steps and, between two of them, carry out requests; return whether it still has its place."""
        match event.kind:
            case "started":
                self.steps = event.epochs * event.steps_per_epoch
            case "prepared":
                self._note_prepared(event)
            case "tick":
                if self.state == "preparing":
                    self._begin_steps(event.step, self._seconds_before)
                self.step = event.step
                if self._wants_readings:
                    self._wants_readings, self._readings = False, work.read_samples()
            case "epoch":
                self._lost_in_a_row = 0
            case "rate":
                self._unconfirmed_rate = None
            case "finished":
                self.step = self.steps
        has_place = not self._wants_rest(event) or self._rest(work)
        if self._wanted_rates and has_place:
            self._unconfirmed_rate = self._wanted_rates.pop()
            work.change_learning_rate(self._unconfirmed_rate)
        return has_place

    def _note_prepared(self, event: Prepared) -> None:
        if self.state != "preparing":
            self.state, self._preparing_since = "preparing", monotonic()
        self.prepared = event

    def _wants_rest(self, event: Event) -> bool:
        """Tell whether it is paused, or another should run, between two steps."""
        if event.kind == "tick" and self._requests.is_paused:
            return True
        is_between = event.kind == self._executor.gives_way_after and self.step < self.steps
        return is_between and self._queue.is_over(self)

    def _rest(self, work: Work) -> bool:
        """Let others train while this job is paused and until its turn comes again; return whether it has its place."""
        since = self._resting_since = monotonic()
        self._queue.rest(self)
        has_place = self._executor.patience is None
        if self._requests.is_paused:
            self.state = "paused"
            has_place = self._requests.wait(lambda: not self._requests.is_paused, self._executor.patience)
        if not has_place:
            work.close()
            self._requests.wait(lambda: not self._requests.is_paused)
        self._take_turn()
        self.state = "training"
        rested = monotonic() - since
        self._training_since += rested
        self._resting_since = 0.0
        if has_place:
            work.rest(rested)
        return has_place

    def _check_abandoned(self) -> None:
        if self._abandoned:
            raise _AbandonedError

    def _fail(self, message: str) -> None:
        try:
            self._recorder.update(error=message, status="failed")
        except RunError:  # the disk may be what failed: the run will show as interrupted
            log.exception("run %s: its failure could not be written", self.run.id)
        self._end_failed(message)
        self._tell_end()

    def _tell_end(self) -> None:
        for listener in end_listeners:
            listener(self.run)
        if not self._is_trial:
            tell_end(self.run, self.summary)

    def _end_failed(self, message: str) -> None:
        self._recorder.fail(message)
        self.error = message
        self.state = "failed"


def further(run: Run, epochs: int = 0) -> RunConfig:
    """Return the config of the epochs that a resumed run still gets: ``epochs`` more, or those of its plan left."""
    left = epochs or last_epoch(run.config, run.summary.extensions) - run.whole_epochs
    return run.config.model_copy(update={"epochs": left})


def limit_running(owner: str, most: int | None) -> None:
    """Let at most ``most`` trainings of ``owner`` run at once, the others wait; None: no limit."""
    (chosen().queue or training_queue).limit(owner, most)


def running_jobs() -> list[Job]:
    """Return the running trainings of this process."""
    return [job for job in list(_jobs) if job.is_running]
