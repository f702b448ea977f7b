"""What all sections share: how long they take, and sides that take turns in each round."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import torch

from cnnlab.training.device import threads_each

Report = dict[str, Any]
Rows = list[tuple[str, str, str]]
Say = Callable[[str], None]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Effort:
    """The extent of the benchmark: images, rounds, seconds and races."""

    rounds: int
    loop_images: int  # for each round and side
    races: tuple[str, ...]
    race_rounds: int
    live_rounds: int
    inferences: int
    busy_rounds: int
    busy_seconds: float  # of each training


QUICK = Effort(
    rounds=3,
    loop_images=12_800,
    races=("mnist-98",),
    race_rounds=1,
    live_rounds=3,
    inferences=300,
    busy_rounds=1,
    busy_seconds=8,
)
FULL = Effort(
    rounds=9,
    loop_images=12_800,
    races=("mnist-98", "mnist-99", "fashion-91"),
    race_rounds=3,
    live_rounds=7,
    inferences=1_000,
    busy_rounds=3,
    busy_seconds=8,
)


@dataclass(frozen=True)
class Terms:
    """What a section measures by: its effort, the folder of data sets, and the precision of our trainings."""

    effort: Effort
    folder: Path | None = None
    precision: str = "auto"


def alone(section: Callable[..., Result], *arguments: Any) -> Result:
    """Return the section's result, computed in a thread of its own, with which its OpenMP threads end.

    While there are more of them than cores, even idle ones, OpenMP makes all of them wait in a way that halves the
    speed of small steps.
    """
    with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(threads_each(),)) as thread:
        return thread.submit(section, *arguments).result()


def in_turn(sides: dict[str, Callable[[], float]], rounds: int) -> list[dict[str, float]]:
    """Return each side's figure in each round, after a round to warm up."""
    return [{name: side() for name, side in sides.items()} for _ in range(rounds + 1)][1:]


def ratio(rounds: list[dict[str, float]], over: str, under: str) -> float:
    """Return one side's figure divided by another's, the median of the rounds."""
    return median(figures[over] / figures[under] for figures in rounds)
