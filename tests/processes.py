"""Processes that a test starts and that, whatever happens, end with it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from tests.conftest import ROOT

# What nohup and many CI runners start ignores SIGINT, and so would all that it starts in turn.
_INTERRUPTIBLE = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
)


def interruptible(*arguments: str) -> list[str]:
    """The command for ``python arguments`` that Ctrl-C reaches, also where the tests themselves ignore it."""
    return [sys.executable, "-c", _INTERRUPTIBLE, sys.executable, *arguments]


@contextmanager
def running(arguments: Sequence[str], **settings: str) -> Iterator[subprocess.Popen[str]]:
    """``python arguments`` in the project's root, interruptible; killed in the end where it still runs.

    ``settings`` are for its environment.
    """
    process = subprocess.Popen(
        interruptible(*arguments),
        cwd=ROOT,
        env=os.environ | {"CNNLAB_TRAININGS": "2"} | settings,  # two, so that one leaves a core to the test
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def await_event(process: subprocess.Popen[str], event: Callable[[], object]) -> None:
    """Look again and again whether ``event`` has come, or the process has ended."""
    while process.poll() is None and not event():
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
