"""What a trap is, and what falling into it finds."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from inspect import getsource
from typing import Any

import pandas as pd

from cnnlab.learn.traps.pictures import Picture


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
        return value if isinstance(value, str) else format(value, self.form)


@dataclass(frozen=True)
class Finding:
    """What an experiment has come to so far: ``done`` is a fraction."""

    done: float
    measured: tuple[Measured, ...] = ()
    picture: Picture | None = None
    raised: str = ""  # the message of PyTorch's own error
    table: pd.DataFrame | None = None


@dataclass(frozen=True)
class Trap:
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
        return _source(self.wrong), _source(self.right)


def _source(functions: tuple[Callable[..., Any], ...]) -> str:
    return "\n\n".join(getsource(function).rstrip() for function in functions)
