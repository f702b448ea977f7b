"""File systems that fill up, or may not be written, while a training writes: the run fails, and goes on afterwards."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import torch

from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore
from tests.conftest import ROOT
from tests.faults.kills import CONFIGS, goes_on, is_readable, train, unbroken

AMPLE = 64 * 2**20  # bytes
APART = ("unshare", "--user", "--map-root-user", "--mount")  # where anybody may mount, and nobody else sees it


def can_mount() -> bool:
    """Whether this system lets us have file systems of our own."""
    try:
        tried = subprocess.run([*APART, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=False, capture_output=True)
        return tried.returncode == 0
    except FileNotFoundError:
        return False


def survived_apart(disks: int, folder: Path, seed: int = 0) -> int:
    """``survived``, in a process that may mount."""
    command = [*APART, sys.executable, "-m", "tests.faults.disks", str(disks), str(folder), str(seed)]
    return int(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout)


def survived(disks: int, folder: Path, seed: int = 0) -> int:
    """On how many of ``disks`` the failure was told, what was whole was kept, and the run went on afterwards.

    Every fifth may not be written at all; the others have room for a random part of a run.
    """
    torch.set_num_threads(1)
    random = Random(seed)
    whole = unbroken(RunStore(folder / "whole").create(CONFIGS[0])).run
    needed = sum(path.stat().st_size for path in whole.folder.rglob("*") if path.is_file())
    small = folder / "small"
    small.mkdir()
    good = 0
    for number in range(disks):
        if number % 5 == 0:
            with _mounted(small, AMPLE):
                good += _survives_lock(small, whole)
        else:
            with _mounted(small, random.randrange(2**14, needed)):
                good += _survives_want(small, whole)
    return good


def _survives_want(folder: Path, whole: Run) -> bool:
    try:
        run = RunStore(folder).create(whole.config)
    except RunError as error:  # no room for its first file
        return _is_told(error) and RunStore(folder).all() == []
    told = train(run)
    is_kept = is_readable(run, whole)
    _remount(folder, f"size={AMPLE}")
    return _is_told(told) and is_kept and goes_on(run, whole)


def _survives_lock(folder: Path, whole: Run) -> bool:
    run = RunStore(folder).create(whole.config)
    _remount(folder, "ro")
    try:
        RunStore(folder).create(whole.config)
    except RunError as error:
        is_refused = _is_told(error)
    else:
        return False
    told = train(run)
    _remount(folder, "rw")
    return is_refused and _is_told(told) and goes_on(run, whole)


def _is_told(error: object) -> bool:
    return "cannot be written" in str(error) and "CNNLAB_RUNS" in str(error)


@contextmanager
def _mounted(folder: Path, size: int) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def _remount(folder: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", folder], check=True)


if __name__ == "__main__":
    print(survived(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
