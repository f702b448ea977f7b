from __future__ import annotations

import pytest

from cnnlab.cluster.address import ClusterError, check_safe, environment, host_and_port, is_here, wanted


@pytest.mark.parametrize(("address", "found"), [("", ""), ("local", ""), (" 10.0.0.1:6380 ", "10.0.0.1:6380")])
def test_trainings_run_here_unless_an_address_is_named(
    address: str, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNLAB_CLUSTER", address)
    assert wanted() == found


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("10.0.0.1:6380", ("10.0.0.1", 6380)),
        ("ray://head:10001", ("head", 10001)),
        ("[::1]:6380", ("::1", 6380)),
    ],
)
def test_an_address_is_a_host_and_a_port(address: str, parts: tuple[str, int]) -> None:
    assert host_and_port(address) == parts


@pytest.mark.parametrize("address", ["auto", "10.0.0.1", ":6380", "ray://head"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ClusterError, match=r"write it as 127\.0\.0\.1:6380"):
        host_and_port(address)


@pytest.mark.parametrize(
    ("host", "here"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("10.0.0.1", False), ("head", False)]
)
def test_what_others_can_reach_needs_a_token(host: str, here: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_here(host) == here
    assert ("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER" in environment(host)) == here
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    if here:
        check_safe(host)
        return
    with pytest.raises(ClusterError, match="RAY_AUTH_MODE=token"):
        check_safe(host)
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    check_safe(host)
