"""Tests of the project. Where several workers of pytest share a machine, each keeps to cores of its own."""

from __future__ import annotations

import gc
import os

_KEPT = "CNNLAB_TESTS_KEEP_TO_CORES"  # set for what a worker starts, which has the worker's cores


def _keep_to_own_cores(worker: int, workers: int) -> None:
    """This process and all it starts: the OpenMP threads of several would wait for one another's cores.

    Before anything imports torch, which counts the cores once.
    """
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[worker % len(cores) :: workers])  # more workers than cores share them


if "PYTEST_XDIST_WORKER" in os.environ and _KEPT not in os.environ:
    os.environ[_KEPT] = "yes"
    gc.disable()  # until all is imported: tests/conftest.py
    if hasattr(os, "sched_setaffinity"):
        _keep_to_own_cores(
            int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw")), int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
        )
