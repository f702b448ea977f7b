"""Trials that only let time pass: what a sweep costs besides its trainings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import log10
from pathlib import Path

from cnnlab.jobs.trial_training import Ended
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import new_id
from cnnlab.runs.summary import About, Status, Summary
from cnnlab.training.config import RunConfig
from cnnlab.training.history import History


@dataclass
class Clock:
    """Seconds that pass when somebody waits."""

    now: float = 0.0

    def read(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class FakeTrials:
    """Trainings whose epochs take ``epoch_seconds`` of ``clock``; ``wait`` lets it pass."""

    clock: Callable[[], float]
    wait: Callable[[float], None]
    slots: int = 1
    epoch_seconds: Callable[[RunConfig], float] = lambda _: 1.0
    begun: dict[str, FakeTraining] = field(default_factory=dict)  # by the run's id

    def start(self, config: RunConfig, about: About) -> FakeTraining:
        """Start a training, which has no files."""
        run_id = new_id(datetime.now(UTC))
        self.begun[run_id] = FakeTraining(Run(Path(run_id)), config, self)
        return self.begun[run_id]

    def resume(self, run_id: str) -> FakeTraining | Ended:
        """Continue a training after its last whole epoch, unless it ended by itself."""
        if not (known := self.begun.get(run_id)):
            raise RunError(f"there is no run {run_id}")
        if not known.is_abandoned:
            return Ended(known.summary, known.history)
        self.begun[run_id] = FakeTraining(known.run, known.config, self, len(known.history.epochs))
        return self.begun[run_id]


class FakeTraining:
    """A training as a sweep sees it, accurate where the learning rate is near 0.01."""

    place = 0

    def __init__(self, run: Run, config: RunConfig, trials: FakeTrials, done: int = 0) -> None:
        self.run, self.config, self._trials, self._done = run, config, trials, done
        self._begun, self._each = trials.clock(), trials.epoch_seconds(config)
        self._end: float | None = None  # when it was stopped
        self.is_abandoned = False

    @property
    def progress(self) -> float:
        return min(1.0, (self._done + (self._now - self._begun) / self._each) / self.config.epochs)

    @property
    def seconds(self) -> float:
        return self.progress * self.config.epochs * self._each

    @property
    def is_running(self) -> bool:
        return self._end is None and self.progress < 1

    @property
    def history(self) -> History:
        whole = int(self.progress * self.config.epochs + 1e-9)
        return History(epochs=[self._record(epoch) for epoch in range(1, whole + 1)])

    @property
    def summary(self) -> Summary:
        status: Status = "running" if self.is_running else "finished" if self._end is None else "stopped"
        accuracy = self._record(self.config.epochs)["validation_accuracy"]
        return Summary(
            id=self.run.id,
            created=datetime.now(UTC),
            status=status,
            validation_accuracy=accuracy,
            seconds=self.seconds,
        )

    def stop(self) -> None:
        """End it now."""
        self._end = self._end or self._trials.clock()

    def abandon(self) -> None:
        """End it now, to be continued."""
        self.is_abandoned = True
        self.stop()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended, or ``timeout`` seconds."""
        if self.is_running:
            self._trials.wait(timeout or self._each)

    @property
    def _now(self) -> float:
        return self._trials.clock() if self._end is None else self._end

    def _record(self, epoch: int) -> dict[str, float]:
        miss = abs(log10(self.config.learning_rate) + 2)
        accuracy = max(0.0, 1 - 0.2 * miss) * (1 - 0.5**epoch)
        return {"epoch": epoch, "validation_accuracy": accuracy, "seconds": epoch * self._each}
