from __future__ import annotations

import json
import os
import subprocess
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from cnnlab.cluster import connection, machine
from cnnlab.cluster.address import ALONE, ClusterError
from cnnlab.files import atomic_write
from cnnlab.jobs.executor import LOCAL, Cluster, chosen
from tests.cli.commands import refusal


def test_nothing_runs_at_first_and_nothing_is_stopped() -> None:
    assert machine.running() is None
    assert not machine.stop()


@pytest.mark.parametrize(
    "content", ["", "[]", '{"address": "127.0.0.1:6380"}', '{"address": "a:1", "process": 1, "started": 0}']
)
def test_a_note_of_what_no_longer_runs_counts_for_nothing(content: str, tmp_path: Path) -> None:
    note = tmp_path / "cache" / "cluster" / "running.json"
    note.parent.mkdir(parents=True)
    note.write_text(content, encoding="utf-8")
    assert machine.running() is None


def test_what_this_process_started_is_over_once_it_is_stopped() -> None:
    process = subprocess.Popen(["sleep", "60"])
    machine._started[process.pid] = process
    part = machine.Part("127.0.0.1:6380", process.pid, psutil.Process(process.pid).create_time())
    machine._file().parent.mkdir(parents=True)
    atomic_write(machine._file(), json.dumps(asdict(part)))
    assert machine.running() == part
    assert machine.stop()
    assert process.returncode is not None  # else Python would warn that it still runs
    assert machine.running() is None


def test_a_cluster_that_others_can_reach_needs_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    with pytest.raises(ClusterError, match="RAY_AUTH_MODE=token"):
        machine.start_head("10.0.0.1", 6380)
    with pytest.raises(ClusterError, match="RAY_AUTH_MODE=token"):
        machine.join("10.0.0.1:6380")
    with pytest.raises(ClusterError, match="RAY_AUTH_MODE=token"):
        connection.Connection("10.0.0.1:6380")


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1"])
def test_only_with_a_token_it_opens_ports_to_other_machines(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started: dict[str, Any] = {}

    def note(command: list[str], env: dict[str, str], **_: object) -> SimpleNamespace:
        started.update(command=command, env=env)
        return SimpleNamespace(pid=os.getpid())

    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.delenv(ALONE, raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    monkeypatch.setattr(subprocess, "Popen", note)
    monkeypatch.setattr(machine, "_await_ready", lambda *_: None)
    machine.start_head(host, 6380)
    is_here = host == "127.0.0.1"
    assert f"--node-ip-address={host}" in started["command"]
    assert "--include-dashboard=false" in started["command"]
    assert (started["env"].get(ALONE) == "0") == is_here
    assert any("worker-port" in option for option in started["command"]) != is_here


def test_where_nothing_answers_it_says_how_to_start_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for use in (machine.join, connection.Connection):
        with pytest.raises(ClusterError, match=r"no cluster answers at 127\.0\.0\.1:9: start"):
            use("127.0.0.1:9")


def test_without_ray_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(connection, "answers", lambda *_: True)
    for use in (lambda: machine.start_head("127.0.0.1", 6380), lambda: connection.Connection("127.0.0.1:9")):
        with pytest.raises(ClusterError, match=r"pip install -r requirements-cluster\.txt"):
            use()


def test_trainings_run_here_unless_a_cluster_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CNNLAB_CLUSTER", raising=False)
    assert chosen() == LOCAL
    monkeypatch.setenv("CNNLAB_CLUSTER", "127.0.0.1:9")
    assert isinstance(chosen(), Cluster)
    assert chosen() is chosen()


def test_the_command_refuses_to_open_a_cluster_without_a_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    for command in (["up", "--host", "0.0.0.0"], ["join", "10.0.0.1:6380"]):
        assert "set RAY_AUTH_MODE=token" in refusal(capsys, "cluster", *command)
