"""A few of the faults of ``make faults``."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

from tests.faults.kills import survived


def _count(folder: Path, found: multiprocessing.Queue[int]) -> None:
    found.put(survived(6, folder, seed=1))


def test_killed_trainings_go_on_to_the_numbers_of_unbroken_ones(tmp_path: Path) -> None:
    spawning = multiprocessing.get_context("spawn")  # of pytest's process, whose threads a fork would lose
    found: multiprocessing.Queue[int] = spawning.Queue()
    process = spawning.Process(target=_count, args=[tmp_path, found])
    process.start()
    assert found.get(timeout=300) == 6
    process.join()
