"""What every view of Compare gets: the chosen runs by name, and all that the list shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from cnnlab.runs.catalogue import Entry


@dataclass(frozen=True)
class Chosen:
    """Runs to compare."""

    named: dict[str, Entry]  # by names that tell them apart
    listed: pd.DataFrame  # rows of the catalogue that search and filters leave
    everything: Sequence[Entry]


@dataclass(frozen=True)
class CompareView:
    """A view: the question it answers and what draws it."""

    question: str
    show: Callable[[Chosen], None]
