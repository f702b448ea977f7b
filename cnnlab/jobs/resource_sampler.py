"""A thread beside a training that notes every second what the process takes of the machine."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from threading import Event
from time import monotonic
from typing import NamedTuple

import psutil
import torch

from cnnlab.jobs.gpu_counters import GpuCounters, Reading
from cnnlab.runs.resource_log import ResourceLog
from cnnlab.runs.run import Run
from cnnlab.threads import WorkerThread
from cnnlab.training.resources import MB, Sample

ENDED_WITHIN = 1.0  # seconds

log = logging.getLogger(__name__)


class Moment(NamedTuple):
    """What the process has taken until a moment, and what it holds."""

    at: float  # seconds
    processor_seconds: float  # of all its threads
    memory: int  # bytes, resident
    gpu: Reading | None


class ResourceSampler:
    """Samples the process while it trains ``run``, but not while ``is_resting()``; the run never fails for it.

    ``samples`` has those of the run's earlier trainings, too.
    """

    def __init__(self, run: Run, is_resting: Callable[[], bool]) -> None:
        self._log = ResourceLog(run)
        self.samples = self._log.samples
        self._is_resting = is_resting
        self._ended = Event()
        self._thread: WorkerThread | None = None
        self._process = psutil.Process()

    def start(self, device: torch.device) -> None:
        """Begin, with the counters of ``device`` where it has some."""
        self._thread = WorkerThread(lambda: self._work(device), self._ended.set, name="resources")
        self._thread.start()

    def close(self) -> None:
        """End soon, and wait for that."""
        self._ended.set()
        if self._thread:
            self._thread.join(ENDED_WITHIN)

    def _work(self, device: torch.device) -> None:
        try:
            self._sample(GpuCounters.of(device))
        except (OSError, psutil.Error) as error:  # a full disk, a process that may not be looked at
            log.warning("what the training takes is noted no longer: %s", error)

    def _sample(self, gpu: GpuCounters | None) -> None:
        before = self._moment(gpu)
        while not self._ended.wait(self._log.seconds_apart):
            now = self._moment(gpu)
            if not self._is_resting():
                self._log.add(sample_of(before, now, self.samples[-1] if self.samples else None))
            before = now

    def _moment(self, gpu: GpuCounters | None) -> Moment:
        times = self._process.cpu_times()
        memory = self._process.memory_info().rss
        return Moment(monotonic(), times.user + times.system, memory, gpu.read() if gpu else None)


def sample_of(before: Moment, now: Moment, last: Sample | None) -> Sample:
    """Return the sample between two moments, which goes on from the ``last`` one."""
    passed = now.at - before.at
    core_percent = 100 * (now.processor_seconds - before.processor_seconds) / passed
    return Sample(
        seconds=round((last.seconds if last else 0.0) + passed, 2),
        core_percent=round(core_percent, 1),
        machine_percent=round(core_percent / (os.cpu_count() or 1), 1),
        memory_mb=round(now.memory / MB, 1),
        gpu_percent=now.gpu and now.gpu.percent,
        gpu_memory_mb=now.gpu and round(now.gpu.memory_mb, 1),
        gpu_joules=_joules(before.gpu, now.gpu, last),
    )


def _joules(before: Reading | None, now: Reading | None, last: Sample | None) -> float | None:
    if not (before and now) or before.joules is None or now.joules is None:
        return None
    earlier = last.gpu_joules if last and last.gpu_joules else 0.0
    return round(earlier + now.joules - before.joules, 1)
