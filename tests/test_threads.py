"""The process ends within its bound and with its own exit code, whatever works in its threads."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path
from threading import Event, Thread, get_native_id
from time import monotonic

import pytest

from cnnlab import threads
from cnnlab.runs.store import RunStore
from cnnlab.threads import BEHIND, ENDED_WITHIN, WorkerThread, run_behind_pages
from tests.processes import running

pytestmark = pytest.mark.slow

PATIENCE = 60  # seconds, on a busy machine

# A worker that does not end when it is asked to: {work} is what it does for ever, {end} how the process ends.
STUCK = """
import signal, sys, threading, time
from cnnlab import threads
threads.ENDED_WITHIN = 0.1
begun = threading.Event()
def work():
    {work}
def main():
    threads.WorkerThread(work, end=lambda: None).start()
    begun.wait()
    {end}
threads.run_process(main)
"""
SLEEPS = "begun.set(); time.sleep(600)"
COMPUTES = """
    import torch
    numbers = torch.ones(700, 700)
    while True:
        numbers @ numbers
        begun.set()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a thread's niceness is its own on Linux alone")
def test_where_many_are_expected_trainings_run_behind_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    def niceness_of_a_training() -> tuple[int, int]:
        found: list[int] = []

        def work() -> None:
            run_behind_pages()
            found.append(os.getpriority(os.PRIO_PROCESS, get_native_id()))
            inheriting = Thread(target=lambda: found.append(os.getpriority(os.PRIO_PROCESS, get_native_id())))
            inheriting.start()
            inheriting.join()

        thread = Thread(target=work)
        thread.start()
        thread.join()
        return found[0], found[1]

    monkeypatch.setattr(threads, "_crowd", Event())
    usual = os.getpriority(os.PRIO_PROCESS, get_native_id())
    assert niceness_of_a_training() == (usual, usual)
    threads.expect_many_people()
    assert niceness_of_a_training() == (BEHIND, BEHIND)
    assert os.getpriority(os.PRIO_PROCESS, get_native_id()) == usual


@pytest.mark.parametrize(
    ("work", "end", "code"),
    [
        (SLEEPS, "return", 0),
        (SLEEPS, "sys.exit(130)", 130),
        (SLEEPS, "sys.exit()", 0),
        (SLEEPS, "raise ValueError('a defect')", 1),
        (SLEEPS, "signal.raise_signal(signal.SIGTERM)", 143),
        (COMPUTES, "return", 0),
    ],
)
def test_a_worker_that_does_not_end_in_time_holds_up_no_exit_and_spoils_no_code(work: str, end: str, code: int) -> None:
    with running(["-c", STUCK.format(work=work, end=end)]) as process:
        _, complaints = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    assert ("a defect" in complaints) if code == 1 else not complaints


def test_a_second_ctrl_c_does_not_break_off_the_end() -> None:
    again = (
        "threading.Thread(target=lambda: (time.sleep(0.02), signal.raise_signal(signal.SIGINT)), daemon=True).start()"
    )
    again += "; sys.exit(130)"
    with running(["-c", STUCK.format(work=SLEEPS, end=again)]) as process:
        _, complaints = process.communicate(timeout=PATIENCE)
    assert (process.returncode, complaints) == (130, "")


def test_a_worker_is_joined_for_as_long_as_asked() -> None:
    worker = WorkerThread(lambda: None, end=lambda: None)
    worker.start()
    worker.join()
    assert not worker.is_alive()


DOWNLOAD = """
import sys
from cnnlab.data.torchvision_compat import datasets
from cnnlab import __main__, threads
datasets.MNIST.mirrors = ["http://127.0.0.1:{port}/"]
sys.argv = ["cnnlab", "train", "--dataset", "mnist"]
threads.run_process(__main__.main)
"""


def test_a_download_that_stalls_holds_up_no_exit(tmp_path: Path) -> None:
    environment = {"CNNLAB_DATA": str(tmp_path / "data"), "CNNLAB_RUNS": str(tmp_path / "runs")}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        program = DOWNLOAD.format(port=silent.getsockname()[1])
        with running(["-c", program], **environment) as process:
            silent.settimeout(PATIENCE)
            connection, _ = silent.accept()
            asked = monotonic()
            process.send_signal(signal.SIGINT)
            _, complaints = process.communicate(timeout=PATIENCE)
            took = monotonic() - asked
            connection.close()
    assert process.returncode == 130
    assert "Traceback" not in complaints
    assert took < ENDED_WITHIN
    assert not list((tmp_path / "data").iterdir())
    assert RunStore(tmp_path / "runs").all()[0].summary.status == "interrupted"


# A training, one that is paused, one in the queue, a sweep and an experiment, all left at work.
BUSY = """
from cnnlab import threads
from cnnlab.jobs.worker import Worker
from cnnlab.training.config import RunConfig
from cnnlab.jobs.job import Job
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.jobs.search import search
from cnnlab.jobs.sweep import SweepStore
from cnnlab.jobs.sweep_config import SweepConfig
from tests.samples import TINY
from tests.trainings import wait_for, wait_until

def main():
    store, sweeps = RunStore(runs_folder()), SweepStore(runs_folder())
    endless = RunConfig.model_validate({"architecture": TINY, "epochs": 1000})
    paused = Job.start(endless, store, threads=1)
    wait_until(paused, lambda: paused.step)
    paused.pause()
    wait_for(paused, "paused")
    training = Job.start(endless, store, threads=1)
    wait_until(training, lambda: training.step)
    queued = Job.start(RunConfig(), store)
    experiment = Worker((number for number in range(9)), trains=True)
    sweep = Worker(search(sweeps.create(SweepConfig(space={"momentum": {"low": 0.5, "high": 0.9}}))))
    wait_until(training, lambda: queued.place and experiment.place and sweep.latest)

threads.run_process(main)
"""


def test_the_process_ends_cleanly_whatever_is_at_work(tmp_path: Path) -> None:
    with running(["-c", BUSY], CNNLAB_RUNS=str(tmp_path), CNNLAB_TRAININGS="1") as process:
        _, complaints = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "terminate called" not in complaints
    assert "Traceback" not in complaints
    assert {run.summary.status for run in RunStore(tmp_path).all()} == {"interrupted"}
