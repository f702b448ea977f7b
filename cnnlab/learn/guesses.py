"""Guesses of a result before it is shown: what is asked, how a guess is scored, and the record of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2s
from statistics import fmean
from typing import Generic, TypeVar

from cnnlab.quantities import signed

POINTS = "points"  # of a percentage: the only unit whose errors a record adds up
LARGEST = 1000.0  # amount that may be guessed, either way

T = TypeVar("T")


@dataclass(frozen=True)
class Ask:
    """What a reader may guess; each part is asked only where it has a text or choices, and may stay empty."""

    about: str  # tells one result from all others
    asks: str
    choices: tuple[str, ...] = ()  # which is best
    amount: str = ""  # label: by how much it is ahead
    unit: str = POINTS
    classes: tuple[str, ...] = ()  # which of them differs most

    @cached_property
    def id(self) -> str:
        """A digest by which a browser remembers that this was guessed."""
        return blake2s(self.about.encode(), digest_size=8).hexdigest()

    def offers(self, guess: Guess) -> bool:
        """Whether a guess is among the choices, which may have got other names since."""
        return guess.choice in (None, *self.choices) and guess.label in (None, *self.classes)


@dataclass(frozen=True)
class Guess:
    """A reader's guess; None where a part stayed empty."""

    choice: str | None = None
    amount: float | None = None
    label: str | None = None

    @property
    def is_empty(self) -> bool:
        return self == Guess()


@dataclass(frozen=True)
class Outcome:
    """A result as guesses are scored by it."""

    leads: Mapping[str, float]  # how far each choice is ahead, in the unit; of an amount alone one without a name
    gaps: Mapping[str, float] = field(default_factory=dict)  # how far apart each class is, in the unit
    noise: float | None = None  # how far chance alone moves the lead, in the unit; None where nobody knows

    @property
    def best(self) -> list[str]:
        """The choices that are farthest ahead."""
        most = max(self.leads.values())
        return [name for name, lead in self.leads.items() if lead == most]


@dataclass(frozen=True)
class Guessable(Generic[T]):
    """A question about an experiment, and what its result tells about it: None until the result is complete."""

    ask: Ask
    outcome: Callable[[T], Outcome | None]


@dataclass(frozen=True)
class Score:
    """How good a guess was; None where a part was not guessed."""

    is_right: bool | None  # whether no choice is farther ahead
    truth: float | None  # the lead of the guessed choice, in the unit
    off: float | None  # guessed amount minus ``truth``, so positive where it was too high
    rank: int | None  # of the guessed class, 1: none differs more; None too where no class is known to differ

    def is_noise(self, outcome: Outcome) -> bool:
        """Whether the amount was as close as chance allows."""
        return self.off is not None and outcome.noise is not None and abs(self.off) <= outcome.noise


def score(guess: Guess, outcome: Outcome) -> Score:
    """Score a guess.

    An amount is compared with the lead of the guessed choice, which is negative where another one is ahead: to say "B
    by 2 points" where A is 1 point ahead is 3 points off. Raises KeyError for a choice that is none.
    """
    is_right = None if guess.choice is None else guess.choice in outcome.best
    truth = off = rank = None
    if guess.amount is not None:
        truth = outcome.leads[guess.choice if guess.choice is not None else outcome.best[0]]
        off = guess.amount - truth
    if guess.label is not None and any(outcome.gaps.values()):
        rank = 1 + sum(gap > outcome.gaps[guess.label] for gap in outcome.gaps.values())
    return Score(is_right, truth, off, rank)


def leads(figures: Mapping[str, float]) -> dict[str, float]:
    """Subtract from each of two or more figures the best of the others."""
    return {
        name: figure - max(other for rival, other in figures.items() if rival != name)
        for name, figure in figures.items()
    }


def score_in_words(ask: Ask, guess: Guess, outcome: Outcome) -> list[str]:
    """Say part by part how good a guess was, as plain text; the first part is "Right" or "Not quite" where known."""
    found = score(guess, outcome)
    told = []
    if guess.choice is not None:
        others = [name for name in outcome.best if name != guess.choice]
        shared = f" So is {' and '.join(others)}." if others else ""
        told.append(
            f"Right: {guess.choice}.{shared}"
            if found.is_right
            else f"Not quite: {' and '.join(f'“{name}”' for name in outcome.best)}."
        )
    if found.truth is not None and found.off is not None:
        told.append(_amount_in_words(ask, guess, outcome, found))
    if guess.label is not None:
        told.append(_class_in_words(guess.label, outcome, found.rank))
    elif ask.classes and any(outcome.gaps.values()):
        told.append(f"Class {_most_apart(outcome)} differs most.")
    return told


def _amount_in_words(ask: Ask, guess: Guess, outcome: Outcome, found: Score) -> str:
    assert guess.amount is not None
    assert found.truth is not None
    assert found.off is not None
    of = f" for “{guess.choice}”" if guess.choice is not None and not found.is_right else ""
    told = f"You guessed {_number(guess.amount)}{of}, it was {_with_unit(found.truth, ask.unit)}: "
    if round(abs(found.off), 1) == 0:
        return f"{told}exact."
    noise = f", within what chance explains (±{outcome.noise:.1f})" if found.is_noise(outcome) else ""
    return f"{told}{abs(found.off):.1f} too {'high' if found.off > 0 else 'low'}{noise}."


def _class_in_words(label: str, outcome: Outcome, rank: int | None) -> str:
    if rank is None:
        return "No class differs." if outcome.gaps else "Which class differs most is not known."
    if rank == 1:
        return f"Class {label} differs most, as you guessed."
    return f"Class {_most_apart(outcome)} differs most; {label} is number {rank} of {len(outcome.gaps)}."


def _most_apart(outcome: Outcome) -> str:
    return max(outcome.gaps, key=outcome.gaps.__getitem__)


def _number(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")


def _with_unit(value: float, unit: str) -> str:
    shown = signed(value).removeprefix("+") if value % 1 else _number(value)
    return f"{shown} {unit.removesuffix('s') if abs(value) == 1 else unit}".rstrip()


def record_in_words(scores: list[Score]) -> str:
    """Summarise scores as plain text, their ``off`` in points; empty where there are none."""
    if not scores:
        return ""
    chosen = [score.is_right for score in scores if score.is_right is not None]
    off = [score.off for score in scores if score.off is not None]
    ranks = [score.rank for score in scores if score.rank is not None]
    parts = [f"{len(scores)} {'guess' if len(scores) == 1 else 'guesses'}"]
    if chosen:
        parts.append(f"{sum(chosen)} of {len(chosen)} right")
    if ranks:
        parts.append(f"class right {ranks.count(1)} of {len(ranks)} times")
    if off:
        mean = " in the mean" if len(off) > 1 else ""
        parts.append(f"off by {fmean(map(abs, off)):.1f} points{mean}{_tendency(off)}")
    return f"Your record: {', '.join(parts)}."


FEWEST = 5  # amounts, from which on a tendency is told


def _tendency(off: list[float]) -> str:
    """Say whether most of the error has one direction."""
    if len(off) < FEWEST or abs(fmean(off)) < fmean(map(abs, off)) / 2:
        return ""
    return f", and you tend to {'over' if fmean(off) > 0 else 'under'}estimate"
