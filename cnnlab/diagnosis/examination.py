"""A run examined: its history, and probes of the weights it keeps, taken once each while it trains or later."""

from __future__ import annotations

from collections.abc import Generator

from cnnlab.diagnosis.case import Case
from cnnlab.diagnosis.facts import DataFacts
from cnnlab.diagnosis.finding import Finding
from cnnlab.diagnosis.probe import Probe, Sample, probe
from cnnlab.diagnosis.rules import diagnose
from cnnlab.jobs.worker import Part, Worker
from cnnlab.networks.build import build
from cnnlab.runs.ancestry import data_of
from cnnlab.runs.run import Run, RunError
from cnnlab.training.history import History


class Examination:
    """What is known of a run, whose later epochs may be added while it trains."""

    def __init__(self, run: Run) -> None:
        """Load the run's training images. Raises DatasetError where they are not available, RunError as a run does."""
        self._run, self._config = run, run.config
        data = data_of(run)
        self._spec = data.spec
        self._sample = Sample.of(data.train, self._config, data.spec)
        self._facts = DataFacts.of(data.train, len(data.spec.classes))
        self._probes: dict[int, Probe] = {}

    def case(self, history: History, failure: str = "") -> Case:
        """Probe kept epochs that are not yet probed: the first, the last, and ever fewer between; return what is known.

        Raises RunError where there are no weights, or they cannot be read.
        """
        known = {0, *(row["epoch"] for row in history.epochs)}
        kept = [epoch for epoch in self._run.epochs() if epoch in known]
        if not kept:
            raise RunError(f"run {self._run.id} has no weights to examine")
        for epoch in kept:
            if epoch not in self._probes and (_is_round(epoch) or epoch == kept[-1]):
                self._probes[epoch] = self._probe(epoch)
        return Case(
            config=self._config,
            shape=self._spec.shape,
            classes=self._spec.classes,
            facts=self._facts,
            history=history,
            probes=[self._probes[epoch] for epoch in sorted(self._probes)],
            failure=failure,
        )

    def _probe(self, epoch: int) -> Probe:
        network = build(self._config.architecture, self._spec.shape, len(self._spec.classes))
        network.load_state_dict(self._run.weights(epoch))
        return probe(network, self._sample, epoch)


def _is_round(epoch: int) -> bool:
    """Whether an epoch is 0 or a power of two: of a thousand epochs eleven are."""
    return not epoch & (epoch - 1)


class Watch:
    """A run examined in the background, again whenever it has more epochs or has failed."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._examination: Examination | None = None
        self._work: Worker[Part[list[Finding]]] | None = None
        self._seen: tuple[int, str] | None = None
        # Of the last examination, the most likely first; None before the first has ended, and where it failed.
        self.findings: list[Finding] | None = None

    @property
    def is_looking(self) -> bool:
        """Whether an examination runs."""
        return self._work is not None and self._work.is_running

    def look(self, history: History, failure: str = "") -> None:
        """Begin to examine the run as it is now, unless that was done or another examination runs."""
        now = len(history.epochs), failure
        if self._seen != now and not self.is_looking:
            self._seen = now
            # A copy: the training adds to it meanwhile.
            self._work = Worker(self._steps(History(list(history.steps), list(history.epochs)), failure))

    def cancel(self) -> None:
        """Request an end of the examination that runs."""
        if self._work:
            self._work.cancel()

    def join(self) -> None:
        """Wait until the examination that runs has ended."""
        if self._work:
            self._work.join()

    def _steps(self, history: History, failure: str) -> Generator[Part[list[Finding]]]:
        self._examination = self._examination or Examination(self._run)
        self.findings = diagnose(self._examination.case(history, failure))
        yield Part(1.0, self.findings)
