"""The data of a run that Train shows: from the job in memory while this server has it, else from disk."""

from __future__ import annotations

from functools import cached_property

from cnnlab.charts import Stem
from cnnlab.jobs.job import Job
from cnnlab.runs.resource_log import read_samples
from cnnlab.runs.run import Run
from cnnlab.runs.summary import Summary, title_of
from cnnlab.training.config import RunConfig
from cnnlab.training.history import History
from cnnlab.training.resources import Sample
from cnnlab.ui.shell import session
from cnnlab.ui.widgets.chart_updates import ChartUpdates


class RunView:
    """A run on the page, created once per page run, so that refreshes read nothing from disk."""

    def __init__(self, run: Run, job: Job | None = None) -> None:
        """Read from disk what ``job`` lacks, everything where it is None. Raises RunError where the run is damaged."""
        self.run = run
        self.job = job
        self.config: RunConfig = job.config if job else run.config
        self.title = title_of(self.config, self.summary, run.about)
        self.stem = _stem(self.config)
        self.updates = ChartUpdates()

    @classmethod
    def of(cls, job: Job) -> RunView:
        """Create the view of a job's run."""
        return cls(job.run, job)

    @property
    def summary(self) -> Summary:
        """The run's results so far."""
        return self.job.summary if self.job else self._stored_summary

    @property
    def history(self) -> History:
        """The run's steps and epochs so far."""
        return self.job.history if self.job else self._stored_history

    @property
    def resources(self) -> list[Sample]:
        """What the run took of the machine so far."""
        return self.job.resources if self.job else self._stored_resources

    @property
    def is_running(self) -> bool:
        return self.job is not None and self.job.is_running

    @property
    def came_from_elsewhere(self) -> bool:
        """Whether the network was only judged here: nothing is known of its training."""
        return self.summary.status == "finished" and not self.history.was_trained

    @cached_property
    def _stored_summary(self) -> Summary:
        return self.run.summary

    @cached_property
    def _stored_history(self) -> History:
        return self.run.history()

    @cached_property
    def _stored_resources(self) -> list[Sample]:
        return read_samples(self.run)


def _stem(config: RunConfig) -> Stem | None:
    """Read the history of a branch's parent, where it still exists."""
    if not config.parent:
        return None
    parent = session.find_run(config.parent.run)
    return Stem(parent.history(), config.parent.epoch) if parent else None
