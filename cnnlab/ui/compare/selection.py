"""What every view of Compare receives: the chosen runs by name, and all listed ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from cnnlab.runs.entry import Entry


@dataclass(frozen=True)
class Chosen:
    """The runs to compare."""

    named: dict[str, Entry]  # by distinct names
    listed: pd.DataFrame  # rows of the catalogue that match search and filters
    everything: Sequence[Entry]


@dataclass(frozen=True)
class CompareView:
    """A view: the question it answers, and the function that shows it."""

    question: str
    show: Callable[[Chosen], None]
    tells_results: bool = True  # of the chosen runs: what a guess would be about
