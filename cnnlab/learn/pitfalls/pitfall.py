"""The types of a pitfall and of its experiment's findings."""

from __future__ import annotations

import ast
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from inspect import getsource, signature
from math import isfinite
from typing import Any

import pandas as pd

from cnnlab.learn.guesses import Ask, Guessable, Outcome
from cnnlab.learn.pitfalls.pictures import Picture


@dataclass(frozen=True)
class Measured:
    """A number measured with the mistake and with the fix; None where it is not known yet."""

    what: str
    both: tuple[float | str | None, float | str | None]
    form: str = ".1%"  # number format

    @property
    def shown(self) -> tuple[str, str]:
        """Both numbers as text, with an ellipsis for one not known yet."""
        trapped, mended = self.both
        return self._told(trapped), self._told(mended)

    def _told(self, value: float | str | None) -> str:
        if value is None:
            return "…"
        return value if isinstance(value, str) else format(value, self.form).replace("-", "−")


@dataclass(frozen=True)
class Finding:
    """Results of an experiment so far; ``done`` is a fraction."""

    done: float
    measured: tuple[Measured, ...] = ()
    picture: Picture | None = None
    raised: str = ""  # PyTorch's own error message
    table: pd.DataFrame | None = None


@dataclass(frozen=True)
class Pitfall:
    """A well-known mistake: the wrong and the fixed code, and an experiment that runs both.

    ``fall`` runs the functions in ``wrong`` and ``right``, so the code shown is the code measured.
    """

    slug: str
    title: str
    story: str  # two sentences
    wrong: tuple[Callable[..., Any], ...]
    right: tuple[Callable[..., Any], ...]
    symptom: str
    why: str
    notice: str
    fall: Callable[[int], Generator[Finding]]  # for a seed
    guessed: tuple[str, int] | None = None  # an accuracy whose gain may be guessed: its name, its place in ``measured``

    @property
    def code(self) -> tuple[str, str]:
        """Source code of both."""
        return "\n\n".join(map(_source, self.wrong)), "\n\n".join(map(_source, self.right))

    @property
    def to_guess(self) -> Guessable[Finding] | None:
        """Ask how much accuracy the fix brings; None where nothing of the kind is measured."""
        if self.guessed is None:
            return None
        what, place = self.guessed
        asks = f"How many points of {what} does the fix bring? Negative: it costs some."
        return Guessable(Ask(f"pitfall {self.slug}", asks, amount="Points"), partial(_gain, place))


def _gain(place: int, finding: Finding) -> Outcome | None:
    """Return the points that the fix brings to a measured accuracy; None before the end, and where it is none."""
    if finding.done < 1:
        return None
    wrong, right = finding.measured[place].both
    if not (isinstance(wrong, float) and isinstance(right, float) and isfinite(right - wrong)):
        return None
    return Outcome({"": 100 * (right - wrong)})


def _source(function: Callable[..., Any]) -> str:
    """Return a function's source without types and docstring: short enough to show two side by side."""
    arguments = ", ".join(str(one.replace(annotation=one.empty)) for one in signature(function).parameters.values())
    source = getsource(function)
    (definition,) = ast.parse(source).body
    assert isinstance(definition, ast.FunctionDef)
    body = source.splitlines()[definition.body[0].end_lineno :]  # after the docstring
    return "\n".join([f"def {function.__name__}({arguments}):", *body])
