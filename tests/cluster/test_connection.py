from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pytest

from cnnlab.cluster import connection
from cnnlab.cluster.address import ALONE
from cnnlab.cluster.connection import Connection


class FakeRay(SimpleNamespace):
    """What a connection asks of Ray before it is used."""

    def init(self, **options: Any) -> None:
        self.asked = options


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    fake = FakeRay()
    monkeypatch.setattr(connection, "_ray", lambda: fake)
    monkeypatch.setattr(connection, "answers", lambda *_: True)
    monkeypatch.setattr(connection, "end_before_others", lambda: None)
    monkeypatch.setattr(os, "environ", dict(os.environ))  # it sets some for the whole process
    os.environ.pop(ALONE, None)
    return fake


def test_with_a_cluster_on_this_machine_the_app_listens_on_this_machine_only(ray: FakeRay) -> None:
    Connection("127.0.0.1:6380")
    assert ray.asked["_node_ip_address"] == "127.0.0.1"
    assert os.environ[ALONE] == "0"


def test_with_a_token_others_may_reach_it(ray: FakeRay) -> None:
    os.environ["RAY_AUTH_MODE"] = "token"
    Connection("10.0.0.1:6380")
    assert "_node_ip_address" not in ray.asked
    assert ALONE not in os.environ


@pytest.mark.parametrize("address", ["127.0.0.1:6380", "10.0.0.1:6380"])
def test_ray_tells_nobody_that_it_is_used(address: str, ray: FakeRay) -> None:
    os.environ["RAY_AUTH_MODE"] = "token"
    Connection(address)
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
