from __future__ import annotations

from threading import Event

import pytest
import torch

from cnnlab.jobs import resource_sampler
from cnnlab.jobs.gpu_counters import Reading
from cnnlab.jobs.job import Job
from cnnlab.jobs.resource_sampler import Moment, ResourceSampler, sample_of
from cnnlab.runs.resource_log import ResourceLog, read_samples
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.training.config import RunConfig
from cnnlab.training.resources import Sample
from tests.trainings import start, wait_until

CPU = torch.device("cpu")


@pytest.fixture
def run() -> Run:
    return RunStore(runs_folder()).create(RunConfig())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred samples a second."""
    monkeypatch.setattr(resource_sampler, "Event", Impatient)


class Impatient(Event):
    """An event that waits a hundredth of the time."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(timeout and timeout / 100)


def test_a_sample_says_what_was_taken_between_two_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    before, now = Moment(10.0, 5.0, 0, None), Moment(12.0, 8.0, 600_000_000, None)
    first = sample_of(before, now, None)
    assert first == Sample(seconds=2.0, core_percent=150.0, machine_percent=37.5, memory_mb=600.0)
    assert sample_of(before, now, first).seconds == 4.0


def test_energy_goes_on_from_the_last_sample_and_is_left_out_without_a_counter() -> None:
    def sampled(first: float | None, second: float | None, last: Sample | None) -> float | None:
        before, now = (Moment(at, at, 1, Reading(50.0, 900.0, joules)) for at, joules in ((0.0, first), (1.0, second)))
        return sample_of(before, now, last).gpu_joules

    assert sampled(1000.0, 1250.0, None) == 250.0
    last = Sample(seconds=9.0, core_percent=1.0, machine_percent=1.0, memory_mb=1.0, gpu_joules=40.0)
    assert sampled(1000.0, 1250.0, last) == 290.0
    assert sampled(None, 1250.0, last) is None
    assert sampled(1000.0, None, last) is None


def test_it_notes_this_process_until_it_is_closed(run: Run, quick: None) -> None:
    sampler = ResourceSampler(run, is_resting=lambda: False)
    sampler.start(CPU)
    while len(sampler.samples) < 3:
        sum(range(10_000))
    sampler.close()
    count = len(sampler.samples)
    assert read_samples(run) == sampler.samples
    assert all(sample.memory_mb > 50 for sample in sampler.samples)
    assert len(sampler.samples) == count
    sampler.close()  # and again


def test_what_rests_is_not_noted_and_takes_no_time(run: Run, quick: None) -> None:
    looked = Event()

    def is_resting() -> bool:
        looked.set()
        return True

    sampler = ResourceSampler(run, is_resting)
    sampler.start(CPU)
    looked.wait()
    sampler.close()
    assert not sampler.samples
    ResourceSampler(run, is_resting).close()  # which never began


def test_a_full_disk_ends_it_with_a_warning(
    run: Run, quick: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(log: ResourceLog, sample: Sample) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(ResourceLog, "add", full)
    sampler = ResourceSampler(run, is_resting=lambda: False)
    sampler.start(CPU)
    assert sampler._thread
    sampler._thread.join()
    assert "no space left on device" in caplog.text


@pytest.mark.slow
def test_a_training_is_noted_and_a_resumed_one_goes_on(quick: None) -> None:
    job = start(epochs=1000)
    wait_until(job, lambda: len(job.resources) > 3 and job.history.epochs)
    job.abandon()
    job.join()
    before = read_samples(job.run)
    assert before == job.resources
    resumed = Job.resume(job.run)
    wait_until(resumed, lambda: len(resumed.resources) > len(before) + 1)
    resumed.stop()
    resumed.join()
    assert resumed.resources[: len(before)] == before
    seconds = [sample.seconds for sample in read_samples(job.run)]
    assert seconds == sorted(seconds)
