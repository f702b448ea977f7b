"""A few of the faults of ``make faults``."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from tests.faults import disks
from tests.faults.kills import survived


def _count(folder: Path, found: multiprocessing.Queue[int]) -> None:
    found.put(survived(6, folder, seed=1))


@pytest.mark.skipif(not disks.can_mount(), reason="no file systems of our own here")
def test_trainings_on_full_and_locked_disks_say_so_and_go_on_afterwards(tmp_path: Path) -> None:
    assert disks.survived_apart(4, tmp_path, seed=1) == 4


def test_killed_trainings_go_on_to_the_numbers_of_unbroken_ones(tmp_path: Path) -> None:
    spawning = multiprocessing.get_context("spawn")  # of pytest's process, whose threads a fork would lose
    found: multiprocessing.Queue[int] = spawning.Queue()
    process = spawning.Process(target=_count, args=[tmp_path, found])
    process.start()
    assert found.get(timeout=300) == 6
    process.join()
