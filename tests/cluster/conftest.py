"""A cluster of one node on this machine, for all tests of a worker; they skip where Ray is missing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from cnnlab.cluster import machine
from cnnlab.jobs import executor


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a cluster, with two places on a machine of two cores."""
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed: pip install -r requirements-cluster.txt")
    with pytest.MonkeyPatch.context() as patch:
        cache = str(tmp_path_factory.mktemp("cluster"))
        patch.setenv("CNNLAB_CACHE", cache)
        patch.setenv("CNNLAB_TRAININGS", "2")
        part = machine.start_head("127.0.0.1", _free_port(), cores=2)
        found = executor._cluster(part.address)
        found.open()
    try:
        yield part.address
    finally:
        found.close()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CNNLAB_CACHE", cache)
            machine.stop()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def on_cluster(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings of the test run on the cluster."""
    monkeypatch.setenv("CNNLAB_CLUSTER", address)
