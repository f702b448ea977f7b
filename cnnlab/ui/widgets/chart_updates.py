"""What the browser has of each chart that grows, so that an update carries only new points."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import Any
from uuid import uuid4

from cnnlab.charts import Plot


@dataclass(frozen=True)
class Update:
    """A plot, or what is new since the version ``after``: of a line, its points from the ``kept`` first on."""

    version: str
    after: str  # empty: the plot is whole
    plot: Plot


class ChartUpdates:
    """The latest update of each chart since the page was drawn, which shows charts whole."""

    def __init__(self) -> None:
        self._latest: dict[str, tuple[Plot, Update]] = {}

    def next(self, key: str, plot: Plot) -> Update:
        """Return what the chart ``key`` needs to show ``plot``: the latest update where that has not changed."""
        version = uuid4().hex[:8]
        if key not in self._latest:
            update = Update(version, "", plot)
        else:
            before, latest = self._latest[key]
            if before == plot:
                return latest
            lines = [_new_points(line, had) for line, had in zip(plot["data"], before["data"], strict=True)]
            update = Update(version, latest.version, {**plot, "data": lines})
        self._latest[key] = plot, update
        return update

    def forget(self, key: str) -> None:
        """Send the chart ``key`` whole the next time: the browser lacks the version before."""
        self._latest.pop(key, None)


def _new_points(line: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """Return ``line`` without the points that it begins with as it did before; ``kept`` is their number."""
    pairs = zip(line["x"], line["y"], before["x"], before["y"], strict=False)
    kept = sum(1 for _ in takewhile(lambda pair: pair[:2] == pair[2:], pairs))
    return {**line, "x": line["x"][kept:], "y": line["y"][kept:], "kept": kept}
