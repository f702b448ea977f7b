"""The address of a cluster: which there is, and whether it is safe to use."""

from __future__ import annotations

import os
from ipaddress import ip_address

from cnnlab.runs.run import RunError

VARIABLE = "CNNLAB_CLUSTER"  # an address, or LOCAL
LOCAL = "local"
PORT = 6380  # by default; Ray's own default is Redis's
CLIENT = "ray://"  # an address of this kind needs no part of the cluster on this machine
ALONE = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # Ray's variable: 0 keeps all its ports to this machine


class ClusterError(RunError):
    """A cluster that cannot be used; the message says why and what to do."""


def wanted() -> str:
    """Return the address that the environment names; empty where trainings run in this process."""
    address = os.environ.get(VARIABLE, "").strip()
    return "" if address == LOCAL else address


def host_and_port(address: str) -> tuple[str, int]:
    """Divide an address. Raises ClusterError where it is none."""
    host, _, port = address.removeprefix(CLIENT).rpartition(":")
    if not host or not port.isdecimal():
        raise ClusterError(f"{VARIABLE}: {address[:80]!r} is no address: write it as 127.0.0.1:{PORT}")
    return host.strip("[]"), int(port)


def is_here(host: str) -> bool:
    """Tell whether only this machine can reach ``host``."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # a name
        return False


def check_safe(host: str) -> None:
    """Raise ClusterError where other machines could give a cluster at ``host`` work without its token.

    Whoever reaches a cluster can run any program on it.
    """
    if not is_here(host) and os.environ.get("RAY_AUTH_MODE") != "token":
        raise ClusterError(
            f"a cluster at {host} is open to other machines: set RAY_AUTH_MODE=token on all of them, with the same "
            "RAY_AUTH_TOKEN (docs/cluster.md)"
        )


def environment(host: str) -> dict[str, str]:
    """Return the variables that Ray needs to stay on this machine where the cluster does, and to tell nobody of it."""
    return {"RAY_USAGE_STATS_ENABLED": "0"} | ({ALONE: "0"} if is_here(host) else {})
