"""Results of long experiments that come with the app; ``benchmarks/make_lessons.py`` computes and writes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Generic, TypeVar

import torch
from pydantic import TypeAdapter

from cnnlab.learn import ablation, dense_vs_conv, few_pictures, transfer
from cnnlab.learn.repeats import Repeats

FOLDER = Path(__file__).parent / "results"
PER_MILLE = 1000  # as which probabilities are written

Reached = TypeVar("Reached")


@dataclass(frozen=True)
class Made:
    """Where and when a file's results were computed."""

    date: str  # ISO 8601
    processor: str
    software: str
    training: str  # threads and precision


@dataclass(frozen=True)
class Shipped(Generic[Reached]):
    """A result, and how it was made."""

    made: Made
    reached: Reached
    seeds: str  # as the caption names them

    @property
    def caption(self) -> str:
        """Say how the result was computed."""
        date, made = datetime.fromisoformat(self.made.date), self.made
        return f"Computed beforehand on {date.day} {date:%B %Y}: {made.processor}, {made.training}, {self.seeds}."


@dataclass(frozen=True)
class ContestFile:
    """A contest as its file has it."""

    made: Made
    epochs: int
    seed: int
    curves: dict[str, list[tuple[float, float]]]
    by_shift: dict[str, list[float]]
    answers: dict[str, list[list[list[list[int]]]]]  # per mille


@dataclass(frozen=True)
class Arm:
    """The accuracies of one training, by seed from 0 on."""

    name: str  # parts separated by commas, the start of a transfer, or a way to learn from few pictures
    accuracies: list[float]


@dataclass(frozen=True)
class RepeatsFile:
    """Trainings over several seeds as their file has them."""

    made: Made
    epochs: int  # 0 where each training has its own
    arms: list[Arm]


def shipped_contest(terms: dense_vs_conv.Terms) -> Shipped[dense_vs_conv.Contest] | None:
    """Return the contest with these settings if it comes with the app."""
    path = FOLDER / f"{contest_name(terms)}.json"
    kept = _contest(path) if path.exists() else None
    if kept is None or (kept.epochs, kept.seed) != (terms.epochs, terms.seed):
        return None
    curves = {name: tuple(points) for name, points in kept.curves.items()}
    by_shift = {name: tuple(values) for name, values in kept.by_shift.items()}
    answers = {name: torch.tensor(values) / PER_MILLE for name, values in kept.answers.items()}
    return Shipped(
        kept.made, dense_vs_conv.Contest(terms, 1.0, curves, by_shift=by_shift, answers=answers), f"seed {terms.seed}"
    )


def shipped_ablation(terms: ablation.Terms) -> Shipped[Repeats] | None:
    """Return the accuracies of an ablation's trainings if all of them come with the app."""
    names = {name: arm_name(parts) for name, parts in terms.arms.items()}
    return _repeats(terms, f"ablation-{terms.images}", terms.epochs, names)


def shipped_transfer(terms: transfer.Terms) -> Shipped[Repeats] | None:
    """Return the accuracies of each start if they come with the app."""
    return _repeats(terms, f"transfer-{terms.images}", terms.epochs, {start: start for start in transfer.STARTS})


def shipped_comparison(terms: few_pictures.Terms) -> Shipped[few_pictures.Compared] | None:
    """Return the accuracies of each way to learn if they come with the app."""
    found = _repeats(terms, f"few-pictures-{terms.dataset}", 0, {name: name for name in terms.arms})
    if found is None:
        return None
    return Shipped(found.made, few_pictures.Compared(terms, 1.0, found.reached.accuracies), found.seeds)


def contest_name(terms: dense_vs_conv.Terms) -> str:
    """Return the name of a contest's file, without its ending."""
    return "-".join(["contest", terms.ending, terms.augmentation, *(["shuffled"] if terms.is_shuffled else [])])


def arm_name(parts: frozenset[ablation.Part]) -> str:
    """Return the name of a training in its file."""
    return ", ".join(sorted(parts))


def _repeats(
    terms: ablation.Terms | transfer.Terms | few_pictures.Terms, file: str, epochs: int, names: dict[str, str]
) -> Shipped[Repeats] | None:
    """Look up each arm of ``names`` {its name on the page: its name in the file}, for as many seeds as are asked."""
    path = FOLDER / f"{file}.json"
    kept = _arms(path) if path.exists() else None
    if kept is None or kept.epochs != epochs:
        return None
    known = {arm.name: tuple(arm.accuracies[: terms.seeds]) for arm in kept.arms}
    found = {name: known.get(inner, ()) for name, inner in names.items()}
    if any(len(values) < terms.seeds for values in found.values()):
        return None
    return Shipped(kept.made, Repeats(terms, terms.seeds, 1.0, found), f"seeds 0 to {terms.seeds - 1}")


@lru_cache(maxsize=8)
def _contest(path: Path) -> ContestFile:
    return TypeAdapter(ContestFile).validate_json(path.read_bytes())


@lru_cache(maxsize=8)
def _arms(path: Path) -> RepeatsFile:
    return TypeAdapter(RepeatsFile).validate_json(path.read_bytes())
