"""How far a training is: its state, its steps, and its seconds without pauses."""

from __future__ import annotations

from time import monotonic
from typing import Literal

from cnnlab.training.events import Prepared

State = Literal["queued", "loading", "preparing", "training", "paused", "judging", "finished", "stopped", "failed"]


class JobProgress:
    """The state and the steps of a training; its own thread writes, any thread may read."""

    def __init__(self) -> None:
        self.state: State = "loading"
        self.step = 0
        self.steps = 0  # of the whole run; 0 until known
        self.prepared: Prepared | None = None  # how far the features of frozen layers are
        self._training_since = 0.0
        self._seconds_before = 0.0  # of the epochs before this training
        self._resting_since = 0.0  # of the running pause; 0: it trains
        self._preparing_since = 0.0

    @property
    def is_running(self) -> bool:
        return self.state not in ("finished", "stopped", "failed")

    @property
    def is_complete(self) -> bool:
        """Whether all steps are done."""
        return bool(self.steps) and self.step == self.steps

    @property
    def share(self) -> float:
        """The share of the steps done, 0…1; before them, of the images whose features are known."""
        if self.state == "preparing" and self.prepared:
            return self.prepared.images / self.prepared.of
        return self.step / self.steps if self.steps else 0.0

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

    def begin(self, step: int, seconds: float) -> None:
        """Begin with the next step after ``step``, which was done ``seconds`` after the first began."""
        self.step, self._seconds_before = step, seconds
        self._training_since = monotonic() - seconds
        self.state = "training"

    def prepare(self, prepared: Prepared) -> None:
        """Note how far the features of frozen layers are."""
        if self.state != "preparing":
            self.state, self._preparing_since = "preparing", monotonic()
        self.prepared = prepared

    def count(self, step: int) -> None:
        """Count a step; the first after features ends the time that they took."""
        if self.state == "preparing":
            self.begin(step, self._seconds_before)
        self.step = step

    def rest(self) -> None:
        """Begin a pause."""
        self._resting_since = monotonic()

    def go_on(self) -> float:
        """End the pause; return its seconds."""
        rested = monotonic() - self._resting_since
        self.state = "training"
        self._training_since += rested
        self._resting_since = 0.0
        return rested
