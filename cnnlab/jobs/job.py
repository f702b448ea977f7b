"""A training in a background thread: start, pause, stop, continue, and its progress."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from traceback import format_exception

import torch
from torch import Tensor

from cnnlab.data.splits import Split
from cnnlab.errors import CnnLabError
from cnnlab.jobs.execution import AbandonedError, Execution
from cnnlab.jobs.executor import LOCAL, Executor, chosen
from cnnlab.jobs.fair_share import NOBODYS, Ticket
from cnnlab.jobs.job_progress import State
from cnnlab.jobs.starting import continuation, new_run
from cnnlab.jobs.webhook import tell_end
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import Forecast, Summary
from cnnlab.threads import WorkerThread, run_behind_pages
from cnnlab.training.config import Extension, RunConfig, last_epoch
from cnnlab.training.device import threads_each
from cnnlab.training.events import Prepared
from cnnlab.training.history import History
from cnnlab.training.memory import SHORT_OF_MEMORY, ran_out
from cnnlab.training.resources import Sample

log = logging.getLogger(__name__)

# Called in a training's thread when it has ended or failed.
end_listeners: list[Callable[[Run, Summary, Ticket], object]] = [tell_end]
_jobs: weakref.WeakSet[Job] = weakref.WeakSet()


class Job:
    """The training of one run in a thread of its own, independent of the pages that watch it.

    Its ``ticket`` says how it stands to others in the queue of its ``executor``. Everything public may be called from
    any thread.
    """

    def __init__(
        self,
        run: Run,
        threads: int,
        data_folder: Path | None = None,
        more: Extension | None = None,
        ticket: Ticket = NOBODYS,
        executor: Executor = LOCAL,
    ) -> None:
        self.run = run
        self.config: RunConfig = run.config
        self.threads = threads
        self.ticket = ticket
        self.error = ""
        self.details = ""  # of an unexpected error: its traceback
        self._execution = Execution(run, threads, data_folder, more, ticket, executor)
        self._recorder, self._requests = self._execution.recorder, self._execution.requests
        self._progress = self._execution.progress
        self._worker = WorkerThread(self._work, self.abandon, name=f"train {run.id}")

    @classmethod
    def start(
        cls,
        config: RunConfig,
        store: RunStore,
        threads: int | None = None,
        *,
        ticket: Ticket = NOBODYS,
        provable: bool = False,
        forecast: Forecast | None = None,
    ) -> Job:
        """Create the run's folder and start when its turn comes. Raises as ``new_run``.

        It runs on at most ``threads`` torch threads, by default those of one training here.
        """
        run = new_run(config, store, provable, forecast)
        return cls(run, threads or threads_each(config.threads), ticket=ticket, executor=chosen())._begun()

    @classmethod
    def resume(
        cls,
        run: Run,
        epochs: int = 0,
        learning_rate: float | None = None,
        threads: int | None = None,
        *,
        ticket: Ticket = NOBODYS,
    ) -> Job:
        """Continue a run where it ended, and train ``epochs`` more after its last epoch. Raises as ``continuation``.

        These start with ``learning_rate``, by default a tenth of the config's. On as many threads as before, which is
        the default, the run gets the same numbers as one that was never interrupted.
        """
        executor = chosen()
        more = continuation(run, epochs, learning_rate, executor)
        most = threads or run.summary.threads or threads_each(run.config.threads)
        return cls(run, most, more=more, ticket=ticket, executor=executor)._begun()

    def _begun(self) -> Job:
        _jobs.add(self)
        self._worker.start()
        return self

    @property
    def owner(self) -> str:
        """Whose it is in the queue."""
        return self.ticket.owner

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
        return self._execution.sampler.samples

    @property
    def state(self) -> State:
        return self._progress.state

    @property
    def is_running(self) -> bool:
        return self._progress.is_running

    @property
    def place(self) -> int:
        """The position in the queue of trainings, from 1 on; 0 where it does not wait."""
        return self._execution.place()

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
        return self._requests.is_abandoned

    @property
    def step(self) -> int:
        """The steps done."""
        return self._progress.step

    @property
    def steps(self) -> int:
        """Those of the whole run; 0 until they are known."""
        return self._progress.steps

    @property
    def prepared(self) -> Prepared | None:
        """How far the features of frozen layers are; None where there are none, or not yet."""
        return self._progress.prepared

    @property
    def progress(self) -> float:
        """The share of the steps done, 0…1; before them, of the images whose features are known."""
        return self._progress.share

    @property
    def threads_now(self) -> int:
        """The torch threads of the running step."""
        changes = self.history.threads
        return changes[-1]["threads"] if changes else self.threads

    @property
    def seconds(self) -> float:
        """Seconds since the first step could start, pauses left out; 0 before."""
        return self._progress.seconds

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the speed so far; None before the first step, and before the first image's features."""
        return self._progress.seconds_left

    @property
    def learning_rate(self) -> float | None:
        """The requested learning rate, else the last step's; None before the first."""
        latest = self.history.steps[-1]["learning_rate"] if self.history.steps else None
        requested = self._requests.rate
        return latest if requested is None else requested

    @property
    def samples(self) -> Split | None:
        """A few validation images; None until they are loaded."""
        return self._execution.samples

    def read_samples(self) -> Tensor | None:
        """Return the latest class probabilities of the samples, (S, classes), and request newer ones.

        They cost the training a forward pass of a few images, so they are computed only for those who watch.
        """
        self._requests.wants_readings = True
        return self._execution.readings

    def pause(self) -> None:
        """Request a pause after the running step; another training may run meanwhile."""
        self._requests.pause()

    def go_on(self) -> None:
        """End the pause, when its turn comes."""
        self._requests.go_on()

    def change_learning_rate(self, rate: float) -> None:
        """Request another learning rate from the next step on; the schedule keeps its shape."""
        self._requests.set_rate(rate)

    def stop(self) -> None:
        """Request an end after the running step, overriding other requests; complete epochs are saved and tested."""
        self._requests.stop()
        self._execution.wake()

    def abandon(self) -> None:
        """Request an end without a final test: the run shows as interrupted."""
        self._requests.abandon()
        self._execution.wake()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the job has ended, or ``timeout`` seconds."""
        self._worker.join(timeout)

    def _work(self) -> None:
        run_behind_pages()  # first: threads that torch starts inherit it
        torch.set_num_threads(self.threads)  # applies only to the calling thread
        try:
            with self.run.held(), closing(self._execution.sampler):
                if not self._recorder.is_current:
                    raise RunError(f"run {self.run.id} was just trained elsewhere: reload it")
                self._train_or_fail()
        except RunError as error:  # another process trains it, or the folder is read-only: files on disk stay
            self._end_failed(str(error))
        finally:
            self._execution.leave()

    def _train_or_fail(self) -> None:
        try:
            self._execution.train()
            self._end()
        except AbandonedError:
            self._progress.state = "stopped"
        except CnnLabError as error:  # its message says what to do
            self._fail(str(error))
        except Exception as error:  # a defect
            log.exception("run %s failed", self.run.id)
            self.details = "".join(format_exception(error))
            self._fail(SHORT_OF_MEMORY if ran_out(error) else f"{type(error).__name__}: {error}")

    def _end(self) -> None:
        """Close the run: stopped where an end was requested before its last step, else finished."""
        is_stopped = self._requests.is_stopped and not self._progress.is_complete
        self._recorder.update(status="stopped" if is_stopped else "finished")
        self._progress.state = "stopped" if is_stopped else "finished"
        self._tell_end()

    def _fail(self, message: str) -> None:
        try:
            self._recorder.update(error=message, status="failed")
        except RunError:  # the disk may be what failed: the run will show as interrupted
            log.exception("run %s: its failure could not be written", self.run.id)
        self._end_failed(message)
        self._tell_end()

    def _end_failed(self, message: str) -> None:
        self._recorder.fail(message)
        self.error = message
        self._progress.state = "failed"

    def _tell_end(self) -> None:
        for listener in end_listeners:
            listener(self.run, self.summary, self.ticket)


def running_jobs() -> list[Job]:
    """Return the running trainings of this process."""
    return [job for job in list(_jobs) if job.is_running]
