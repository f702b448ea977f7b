from __future__ import annotations

import logging
from shutil import rmtree

import pytest

from cnnlab.export import mirror as mirroring
from cnnlab.export.metrics import InteropError
from cnnlab.export.mirror import Mirror, failure, marked
from cnnlab.export.mlflow import EXPERIMENT
from cnnlab.files import lock
from cnnlab.jobs.job import end_listeners
from cnnlab.runs.run import Run
from tests.export.exported import client_of
from tests.trainings import finish, start


class Refusal:
    """A tracking server that takes runs, or does not."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.taken: list[str] = []

    def send(self, run: Run) -> None:
        if self.error:
            raise self.error
        self.taken.append(run.id)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Refusal:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking.test")
    return Refusal()


def sent(mirror: Mirror, run: Run) -> None:
    mirror.add(run)
    mirror.join()


def test_a_run_is_sent_when_it_ends_and_nothing_waits_afterwards(own_run: Run, server: Refusal) -> None:
    mirror = Mirror(server.send)
    sent(mirror, own_run)
    sent(mirror, own_run)  # it was trained further
    assert server.taken == [own_run.id] * 2
    assert (marked(own_run.folder.parent), failure(own_run)) == ([], "")


def test_a_run_that_ends_again_while_it_is_sent_is_sent_again(own_run: Run, server: Refusal) -> None:
    def send(run: Run) -> None:
        server.send(run)
        if len(server.taken) == 1:
            mirror.add(run)

    mirror = Mirror(send)
    sent(mirror, own_run)
    assert server.taken == [own_run.id] * 2
    assert marked(own_run.folder.parent) == []


def test_mlflow_gets_it(own_run: Run, tracking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking)
    sent(Mirror(), own_run)
    client = client_of(tracking)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment
    (logged,) = client.search_runs([experiment.experiment_id])
    assert logged.data.tags["cnnlab.run"] == own_run.id


def test_what_failed_is_told_on_the_run_and_sent_at_the_next_start(
    own_run: Run, server: Refusal, caplog: pytest.LogCaptureFixture
) -> None:
    runs = own_run.folder.parent
    server.error = InteropError("MLflow refused:\nhttp://ada:secret@tracking.test is not there")
    mirror = Mirror(server.send)
    sent(mirror, own_run)
    assert failure(own_run) == "MLflow refused: http://tracking.test is not there"
    assert f"run {own_run.id} was not sent" in caplog.text
    assert "secret" not in caplog.text
    mirror.send_waiting(runs)  # not again and again by the same process
    mirror.join()
    server.error = None
    assert not server.taken
    again = Mirror(server.send)
    again.send_waiting(runs)
    again.join()
    assert server.taken == [own_run.id]
    assert (marked(runs), failure(own_run)) == ([], "")


def test_a_defect_is_told_too(own_run: Run, server: Refusal, caplog: pytest.LogCaptureFixture) -> None:
    server.error = ZeroDivisionError("oops")
    sent(Mirror(server.send), own_run)
    assert failure(own_run) == "ZeroDivisionError: oops"
    assert "Traceback" in caplog.text


def test_a_run_that_is_gone_or_has_no_metrics_waits_no_longer(own_run: Run, server: Refusal) -> None:
    runs, mirror = own_run.folder.parent, Mirror(server.send)
    (own_run.folder / "history.jsonl").write_text("")
    sent(mirror, own_run)
    rmtree(own_run.folder)
    sent(mirror, own_run)
    assert (server.taken, marked(runs)) == ([], [])


def test_without_an_address_nothing_is_noted(own_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    sent(Mirror(), own_run)
    assert not (own_run.folder.parent / ".mlflow").exists()


def test_a_mark_of_no_run_is_removed(own_run: Run, server: Refusal) -> None:
    folder = own_run.folder.parent / ".mlflow" / "waiting"
    folder.mkdir(parents=True)
    (folder / "20260101-000000-000000-0123456789ab").touch()
    mirror = Mirror(server.send)
    mirror.send_waiting(own_run.folder.parent)
    mirror.join()
    assert (marked(own_run.folder.parent), server.taken) == ([], [])


def test_two_processes_do_not_send_at_once(own_run: Run, server: Refusal, caplog: pytest.LogCaptureFixture) -> None:
    folder = own_run.folder.parent / ".mlflow"
    folder.mkdir()
    with lock(folder, AssertionError()), caplog.at_level(logging.WARNING):
        sent(Mirror(server.send), own_run)
    assert "another process sends them" in caplog.text
    assert (marked(own_run.folder.parent), server.taken) == ([own_run.id], [])


def test_trainings_are_sent_as_they_end(server: Refusal, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = Mirror(server.send)
    monkeypatch.setattr(mirroring, "mirror", mirror)
    before = [*end_listeners]  # of pages that were tested in this process
    end_listeners.clear()
    try:
        mirroring.listen()
        mirroring.listen()
        job = finish(start(epochs=1))
    finally:
        end_listeners[:] = before
    mirror.join()
    assert server.taken == [job.run.id]
