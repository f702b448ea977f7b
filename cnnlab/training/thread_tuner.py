"""The number of torch threads of a training on a processor that other programs use too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter, thread_time

UNDISTURBED = 0.9  # share of the time that a thread runs on a quiet machine; measured: 0.97 to 1
GAIN = 1.1  # a number of threads is changed for a speed that is so many times as high
WINDOW = 0.4  # seconds of a measurement, at least
STEPS = 3  # of a measurement, at least
FIRST_WAIT, LONGEST_WAIT = 1.0, 32.0  # seconds between trials; doubled after each that gained nothing


@dataclass(frozen=True)
class _Settled:
    """The number of threads that a trial is measured against."""

    threads: int
    speed: float  # steps/s


class ThreadTuner:
    """Choose the number of threads of each step: as many as are fastest at the moment, from 1 to ``most``.

    Each layer ends when the last of its threads does. Beside other programs, one of them waits for a core and the
    others for it, so that fewer threads can be faster. As long as the training's thread runs whenever it could, nothing
    is tried: on a quiet machine the number, and with it every sum, stays the same. Where it has to wait, half as many
    threads are tried for a moment; where it no longer has to, twice as many now and then.

    ``changes`` are a former training's, as pairs of a step and the threads from it on: up to the last of them they are
    repeated, so that the training gets the same numbers again.
    """

    def __init__(self, most: int, changes: Iterable[tuple[int, int]] = ()) -> None:
        self.most = most
        self._changes = tuple(changes)
        self._repeats_until = max((step for step, _ in self._changes), default=0)
        self.current = most  # threads of the last step
        self._settled: _Settled | None = None  # while another number is tried
        self._wait, self._wait_until = FIRST_WAIT, 0.0
        self._last: tuple[float, float] | None = None  # clock and processor time as the last step began
        self._begin_window()

    def go_on_after(self, step: int) -> None:
        """Go on with the threads that the former training had at ``step``."""
        self.current = next((threads for since, threads in reversed(self._changes) if since <= step), self.most)

    def choose(self, step: int) -> None:
        """Choose the threads of ``step``, which is about to begin."""
        if step <= self._repeats_until:
            self.go_on_after(step)
            return
        now = perf_counter(), thread_time()
        if self._last:
            self._steps += 1
            self._seconds += now[0] - self._last[0]
            self._running += now[1] - self._last[1]
        self._last = now
        if self._steps >= STEPS and self._seconds >= WINDOW:
            self._decide(now[0])
            self._begin_window()

    def rest(self) -> None:
        """Exclude the time from the last step to the next, which is not the steps' own."""
        self._last = None

    def _begin_window(self) -> None:
        self._steps, self._seconds, self._running = 0, 0.0, 0.0

    def _decide(self, now: float) -> None:
        speed, is_disturbed = self._steps / self._seconds, self._running / self._seconds < UNDISTURBED
        if self._settled:
            self._end_trial(self._settled, speed, now)
        elif now < self._wait_until:
            return
        elif is_disturbed and self.current > 1:
            self._try(self.current // 2, speed)
        elif not is_disturbed and self.current < self.most:
            self._try(min(2 * self.current, self.most), speed)

    def _try(self, threads: int, speed: float) -> None:
        self._settled = _Settled(self.current, speed)
        self.current = threads
        self.rest()  # the first step with another number of threads starts or ends some

    def _end_trial(self, before: _Settled, speed: float, now: float) -> None:
        if speed > GAIN * before.speed:
            self._wait = FIRST_WAIT
        else:
            self.current = before.threads
            self._wait = min(2 * self._wait, LONGEST_WAIT)
            self.rest()
        self._settled, self._wait_until = None, now + self._wait


class ThreadRepeater(ThreadTuner):
    """Give each step the threads that it had in a former training, whatever the load is now."""

    def choose(self, step: int) -> None:
        """Take the threads of ``step``, which is about to begin."""
        self.go_on_after(step)
