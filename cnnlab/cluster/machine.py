"""This machine's part of a cluster: start it, stop it, and find it again."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from getpass import getuser
from pathlib import Path
from tempfile import gettempdir
from time import monotonic, sleep

import psutil

from cnnlab.cluster.address import ClusterError, check_safe, environment, host_and_port, is_here
from cnnlab.cluster.connection import answers
from cnnlab.data.folders import cache_folder
from cnnlab.files import atomic_write, read_limited
from cnnlab.places import app_folder, is_installed

NODE_PORTS = {
    "node-manager-port": 6381,
    "object-manager-port": 6382,
    "min-worker-port": 10100,
    "max-worker-port": 10999,
}
READY_WITHIN = 60.0  # seconds
ENDED_WITHIN = 15.0  # seconds
SOON = {"RAY_health_check_period_ms": "1000", "RAY_health_check_timeout_ms": "5000"}  # a lost node is noticed in 10 s
LONGEST = 10_000  # bytes of the file

_started: dict[int, subprocess.Popen[bytes]] = {}  # by this process, which they may outlive; by their ids


@dataclass(frozen=True)
class Part:
    """What runs on this machine."""

    address: str  # of the cluster
    process: int
    started: float  # seconds since 1970, as the process has them


def start_head(host: str, port: int, cores: int | None = None) -> Part:
    """Start a cluster whose first node is this machine; others reach it at ``host``, on 127.0.0.1 nobody does.

    Raises ClusterError where one runs, Ray is missing, or other machines could use it without a token.
    """
    check_safe(host)
    ports = [] if is_here(host) else _options(NODE_PORTS)
    options = ["--head", f"--node-ip-address={host}", f"--port={port}", "--include-dashboard=false", *ports]
    return _start(f"{host}:{port}", host, options, cores)


def join(address: str, cores: int | None = None) -> Part:
    """Add this machine to the cluster at ``address``. Raises ClusterError as ``start_head``."""
    host, port = host_and_port(address)
    check_safe(host)
    if not answers(host, port):
        raise ClusterError(f"no cluster answers at {address}: start it there first, and open its ports to this machine")
    return _start(address, host, [f"--address={address}", *_options(NODE_PORTS)], cores)


def stop() -> bool:
    """Stop what runs on this machine; return whether anything did."""
    part = running()
    if not part:
        return False
    processes = [psutil.Process(part.process), *psutil.Process(part.process).children(recursive=True)]
    with suppress(ProcessLookupError):
        os.kill(part.process, signal.SIGTERM)  # it ends the others
    for left in psutil.wait_procs(processes, ENDED_WITHIN)[1]:
        with suppress(psutil.NoSuchProcess):
            left.kill()
    if own := _started.pop(part.process, None):
        own.wait()  # else Python warns of a process that still runs
    _file().unlink(missing_ok=True)
    return True


def running() -> Part | None:
    """Return this machine's part; None where nothing runs."""
    try:
        part = Part(**json.loads(read_limited(_file(), LONGEST)))
        is_same = abs(psutil.Process(part.process).create_time() - part.started) < 1
    except (OSError, ValueError, TypeError, psutil.NoSuchProcess):
        return None
    return part if is_same else None


def _start(address: str, host: str, options: list[str], cores: int | None) -> Part:
    if part := running():
        raise ClusterError(f"this machine is already part of the cluster at {part.address}: stop it first")
    if importlib.util.find_spec("ray") is None:
        raise ClusterError("a cluster needs Ray: pip install -r requirements-cluster.txt")
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--disable-usage-stats", *options]
    if cores:
        command.append(f"--num-cpus={cores}")
    folder = _file().parent
    folder.mkdir(parents=True, exist_ok=True)
    where = Path(gettempdir()) / f"cnnlab-ray-{getuser()}"  # of sockets, whose names must be short
    with (folder / "ray.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"--temp-dir={where}"] if "--head" in options else command,
            env=os.environ | SOON | environment(host) | _path(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _started[process.pid] = process
    part = Part(address, process.pid, psutil.Process(process.pid).create_time())
    atomic_write(_file(), json.dumps(asdict(part)))
    _await_ready(process, host, address, folder / "ray.log")
    return part


def _await_ready(process: subprocess.Popen[bytes], host: str, address: str, log: Path) -> None:
    until, port = monotonic() + READY_WITHIN, host_and_port(address)[1]
    while process.poll() is None and monotonic() < until:
        if answers(host, port) and "--block" in log.read_text(encoding="utf-8", errors="replace"):
            return
        sleep(0.1)
    stop()
    last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
    raise ClusterError(f"the cluster did not start: {' '.join(last)[:300]}")


def _path() -> dict[str, str]:
    """Let the nodes' processes find this program where it is not installed."""
    if is_installed():
        return {}
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(app_folder()), os.environ.get("PYTHONPATH")]))}


def _options(values: dict[str, int]) -> list[str]:
    return [f"--{name}={value}" for name, value in values.items()]


def _file() -> Path:
    return cache_folder() / "cluster" / "running.json"
