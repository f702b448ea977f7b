"""Learning-rate schedules: the learning rate of a step, from the step's number alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import cos, isclose, isfinite, pi

from cnnlab.training.checkpoint import Progress
from cnnlab.training.config import Extension, RunConfig

RISE = 0.3  # of a one-cycle schedule's steps
LOW, LOWEST = 25.0, 1e4  # one-cycle starts at 1/25 of its peak and ends at 1/10,000 of its first rate
BETA1 = 0.85, 0.95  # of Adam, which moves opposite to a one-cycle rate

Rates = Callable[[int], float]  # steps taken before → learning rate of the next


@dataclass(frozen=True)
class Schedule:
    """Learning rates of a whole training: the config's, its extensions', and the rates set by hand in between."""

    config: RunConfig
    steps_per_epoch: int
    extensions: tuple[Extension, ...] = ()
    changes: tuple[tuple[int, float], ...] = ()  # pairs of a step and the rate set for it, in order
    own: Rates | None = None  # replaces the config's schedule

    def rate(self, step: int) -> float:
        """Return the learning rate of ``step``, counted from 1.

        After a rate was set by hand the schedule keeps its shape: all later rates are scaled by the same factor. Where
        the schedule had already reached zero, the rate that was set stays.
        """
        begin = self._begin(step)
        change = next((change for change in reversed(self.changes) if begin < change[0] <= step), None)
        if change is None:
            return self._planned(step)
        since, rate = change
        planned = self._planned(since)
        scaled = rate * (self._planned(step) / planned) if planned else rate
        return scaled if isfinite(scaled) else rate

    def beta1(self, step: int) -> float | None:
        """Return Adam's beta1 for ``step``: it moves opposite to a one-cycle rate (Smith 2018, arXiv:1803.09820).

        None where it keeps its default. Steps of an extension keep the value of the step before them.
        """
        if self.config.schedule != "one-cycle" or self.own:
            return None
        taken = min([step - 1, *(extension.after * self.steps_per_epoch for extension in self.extensions)])
        low, high = BETA1
        return _cycle(taken, self._config_steps, high, low, high)

    def changed(self, step: int, rate: float) -> Schedule:
        """Return a schedule in which ``step`` has the learning rate ``rate``."""
        return replace(self, changes=(*self.changes, (step, rate)))

    def restored(self, progress: Progress) -> Schedule:
        """Return the schedule as it was at ``progress``.

        Older versions saved only the next step's rate: where that is not the planned one, it had been set by hand.
        An extension that begins with the next step has its own rate, of which they knew nothing yet.
        """
        after = replace(self, changes=progress.changes)
        step = progress.step + 1
        if not progress.rates or self._begin(step) == progress.step:
            return after
        is_planned = isclose(progress.rates[0], after._planned(step), rel_tol=1e-9, abs_tol=1e-12)
        return after if is_planned else after.changed(step, progress.rates[0])

    @property
    def _config_steps(self) -> int:
        return self.config.epochs * self.steps_per_epoch

    def _begin(self, step: int) -> int:
        """Return the number of steps before the extension of ``step``; 0 where it belongs to none."""
        return max((at for each in self.extensions if (at := each.after * self.steps_per_epoch) < step), default=0)

    def _planned(self, step: int) -> float:
        """Return the rate of ``step`` without rates set by hand."""
        begin = self._begin(step)
        for extension in self.extensions:
            if begin and extension.after * self.steps_per_epoch == begin:
                return _cosine(step - 1 - begin, extension.epochs * self.steps_per_epoch, extension.learning_rate)
        return self.own(step - 1) if self.own else self._config_rate(step - 1)

    def _config_rate(self, taken: int) -> float:
        """Return the rate after ``taken`` steps; all but one-cycle may warm up (Goyal et al., arXiv:1706.02677)."""
        config, steps, peak = self.config, self._config_steps, self.config.learning_rate
        if config.schedule == "one-cycle":
            return _cycle(taken, steps, peak / LOW, peak, peak / LOW / LOWEST)
        warmup = config.warmup_epochs * self.steps_per_epoch
        if taken < warmup:
            return peak * ((taken + 1) / (warmup + 1))
        since = taken - warmup
        match config.schedule:
            case "constant":
                return peak
            case "step":
                return peak * config.step_factor ** (since // (config.step_epochs * self.steps_per_epoch))
            case "cosine":
                return _cosine(since, steps - warmup, peak)


def _cosine(taken: int, steps: int, peak: float) -> float:
    """Fall from ``peak`` to zero along half a cosine (Loshchilov and Hutter 2017, arXiv:1608.03983; no restarts)."""
    return _between(peak, 0.0, taken / steps)


def _cycle(taken: int, steps: int, first: float, peak: float, last: float) -> float:
    """Rise from ``first`` to ``peak``, then fall to ``last``, reached after all steps, along half a cosine each."""
    top = RISE * (steps + 1) - 1
    if taken <= top:
        return _between(first, peak, taken / top)
    return _between(peak, last, (taken - top) / (steps - top))


def _between(start: float, end: float, share: float) -> float:
    """Interpolate along half a cosine from ``start`` to ``end``, at ``share`` (0…1) of the way."""
    return end + (start - end) / 2 * (cos(pi * share) + 1)
