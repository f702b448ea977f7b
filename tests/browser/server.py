"""A real server of the app."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import ROOT
from tests.processes import interruptible

GRACE_SECONDS = 3


def started(
    runs: Path, script: str = "app.py", flags: Sequence[str] = (), root: Path = ROOT, **settings: str
) -> tuple[subprocess.Popen[str], str]:
    """The process and address of a server of the project in ``root``; ``settings`` are for its environment."""
    own = {
        "CNNLAB_RUNS": str(runs),
        "CNNLAB_PICTURES": str(runs / ".pictures"),
        "CNNLAB_GRACE_SECONDS": str(GRACE_SECONDS),
    }
    return started_by(interruptible("-m", "streamlit", "run", script, *flags), root, os.environ | own | settings)


def started_by(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]
) -> tuple[subprocess.Popen[str], str]:
    """The process and address of a server that ``command`` starts in a folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [*command, "--server.headless=true", f"--server.port={port}"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    next(line for line in process.stdout if "URL:" in line)
    return process, f"http://localhost:{port}"


def ended(process: subprocess.Popen[str]) -> str:
    """What a server has said, once it is asked to end and has."""
    process.terminate()
    try:
        return process.communicate(timeout=60)[0]
    finally:
        process.kill()
        process.wait()


@contextmanager
def server(runs: Path, script: str = "app.py", flags: Sequence[str] = (), **settings: str) -> Iterator[str]:
    process, url = started(runs, script, flags, ROOT, **settings)
    try:
        yield url
    finally:
        rest = ended(process)
        assert "Traceback" not in rest, rest
