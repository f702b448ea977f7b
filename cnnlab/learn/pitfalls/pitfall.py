"""What a trap is, and what falling into it finds."""

from __future__ import annotations

import ast
from collections.abc import Callable, Generator
from dataclasses import dataclass
from inspect import getsource, signature
from typing import Any

import pandas as pd

from cnnlab.learn.pitfalls.pictures import Picture


@dataclass(frozen=True)
class Measured:
    """One figure in the trap and mended; None where it is not known yet."""

    what: str
    both: tuple[float | str | None, float | str | None]
    form: str = ".1%"  # of numbers

    @property
    def shown(self) -> tuple[str, str]:
        """Both as text, an ellipsis for what is not known yet."""
        trapped, mended = self.both
        return self._told(trapped), self._told(mended)

    def _told(self, value: float | str | None) -> str:
        if value is None:
            return "…"
        return value if isinstance(value, str) else format(value, self.form).replace("-", "−")


@dataclass(frozen=True)
class Finding:
    """What an experiment has come to so far: ``done`` is a fraction."""

    done: float
    measured: tuple[Measured, ...] = ()
    picture: Picture | None = None
    raised: str = ""  # the message of PyTorch's own error
    table: pd.DataFrame | None = None


@dataclass(frozen=True)
class Pitfall:
    """A well-known mistake: the code wrong and mended, and an experiment that runs both.

    The functions in ``wrong`` and ``right`` are what ``fall`` runs, so the code shown is the code measured.
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

    @property
    def code(self) -> tuple[str, str]:
        """The sources of both."""
        return "\n\n".join(map(_source, self.wrong)), "\n\n".join(map(_source, self.right))


def _source(function: Callable[..., Any]) -> str:
    """What is run, without types and docstring: as a tutorial has it, and narrow enough to stand side by side."""
    arguments = ", ".join(str(one.replace(annotation=one.empty)) for one in signature(function).parameters.values())
    source = getsource(function)
    (definition,) = ast.parse(source).body
    assert isinstance(definition, ast.FunctionDef)
    body = source.splitlines()[definition.body[0].end_lineno :]  # behind the docstring
    return "\n".join([f"def {function.__name__}({arguments}):", *body])
