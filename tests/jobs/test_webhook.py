from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from threading import Thread
from time import monotonic

import pytest

from cnnlab.jobs import webhook
from cnnlab.jobs.fair_share import NOBODYS, Ticket
from cnnlab.jobs.job import Job
from cnnlab.jobs.webhook import VARIABLE, WebhookError, check, tell_end
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.threads import WorkerThread
from tests.trainings import finish, start


@contextmanager
def listening(*statuses: int) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """A program that answers requests with these statuses, the last one again and again, and what it was sent."""
    told: list[dict[str, object]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            told.append(json.loads(content) | {"type": self.headers["Content-Type"]})
            self.send_response(statuses[min(len(told), len(statuses)) - 1])
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:  # it would go to stderr
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook?key=secret", told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def tell(finished_run: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Tell an address of a finished run, and wait until it was told or not."""
    monkeypatch.setattr(webhook, "PAUSE", 0.0)

    def told(address: str) -> None:
        monkeypatch.setenv(VARIABLE, address)
        thread = tell_end(finished_run, finished_run.summary, NOBODYS)
        assert isinstance(thread, WorkerThread)
        thread.join()

    return told


def test_a_program_is_told_what_became_of_a_run(finished_run: Run, tell: Callable[[str], None]) -> None:
    summary = finished_run.summary
    with listening(204) as (address, told):
        tell(address)
    assert told == [
        {
            "event": "run ended",
            "run": finished_run.id,
            "title": finished_run.title,
            "status": "finished",
            "accuracy": summary.test_accuracy,
            "seconds": summary.seconds,
            "type": "application/json",
        }
    ]


def test_it_is_told_again_once_where_it_refuses(tell: Callable[[str], None], caplog: pytest.LogCaptureFixture) -> None:
    with listening(503, 200) as (address, told):
        tell(address)
    assert len(told) == 2
    assert not caplog.text
    with listening(500) as (address, told):
        tell(address)
    assert len(told) == 2
    assert "127.0.0.1 did not take a message" in caplog.text
    assert "secret" not in caplog.text


def test_it_does_not_follow_an_answer_that_sends_elsewhere(tell: Callable[[str], None]) -> None:
    with listening(307) as (address, told):
        tell(address)
    assert len(told) == 2  # both to the address itself


def test_who_never_answers_is_left(
    tell: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT", 0.1)
    with socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = monotonic()
        tell(f"http://127.0.0.1:{silent.getsockname()[1]}/")
    assert monotonic() - began < 10
    assert "timed out" in caplog.text


@pytest.mark.parametrize(
    "address", ["https://example.org/hook", "http://localhost:9000", "http://192.168.1.5/x", "http://[::1]:80/"]
)
def test_https_goes_anywhere_and_http_to_private_addresses(address: str) -> None:
    check(address)


@pytest.mark.parametrize(
    "address",
    [
        *("http://example.org/hook", "http://8.8.8.8/", "http://intranet/", "http://192.168.1.5.example.org/"),
        *("ftp://192.168.1.5/", "file:///etc/passwd", "example.org", "https://", "http://[::1", "http://user@8.8.8.8/"),
    ],
)
def test_nothing_is_sent_to_other_addresses(
    address: str, finished_run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(WebhookError):
        check(address)
    monkeypatch.setenv(VARIABLE, address)
    assert tell_end(finished_run, finished_run.summary, NOBODYS) is None
    assert "nothing is sent" in caplog.text


def test_without_an_address_nobody_is_told(finished_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert tell_end(finished_run, finished_run.summary, NOBODYS) is None


def test_trainings_that_end_or_fail_tell_and_abandoned_ones_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, object]] = []
    monkeypatch.setenv(VARIABLE, "http://127.0.0.1:9/")
    monkeypatch.setattr(webhook, "tell", told.append)
    ended = finish(start(epochs=1, train_fraction=0.05))
    monkeypatch.setattr("cnnlab.jobs.execution.last_network", broken)
    failed = finish(start(epochs=1))
    gone = Job(RunStore(runs_folder()).create(ended.config), threads=1)
    gone.abandon()
    finish(gone._begun())
    trial = Job(RunStore(runs_folder()).create(ended.config), threads=1, ticket=Ticket(is_trial=True))
    finish(trial._begun())  # its sweep is told of
    assert [(one["run"], one["status"]) for one in told] == [(ended.run.id, "finished"), (failed.run.id, "failed")]


def broken(*_: object) -> None:
    raise ZeroDivisionError("oops")
