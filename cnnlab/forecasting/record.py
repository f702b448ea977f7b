"""How right earlier forecasts were."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from statistics import median

from cnnlab.forecasting.forecast import is_complete
from cnnlab.runs.entry import Entry

LAST = 50  # forecasts that count


@dataclass(frozen=True)
class Record:
    """The last forecasts whose trainings have finished."""

    forecasts: int
    held: int  # of these, those whose interval held the result
    error: float  # distance from the result that half of them stayed within, a fraction


def record(entries: Iterable[Entry], owner: str) -> Record | None:
    """Judge the last forecasts of an ``owner``'s trainings, from entries with the newest first; None without any."""
    judged = (
        (*entry.forecast, entry.row["Validation"])
        for entry in entries
        if entry.forecast and entry.owner == owner and is_complete(entry)
    )
    found = list(islice(judged, LAST))
    if not found:
        return None
    held = sum(low <= came <= high for _, low, high, came in found)
    return Record(len(found), held, median(abs(likely - came) for likely, _, _, came in found))
