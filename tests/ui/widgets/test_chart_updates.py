from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cnnlab import charts
from cnnlab.charts import Plot
from cnnlab.training.history import History
from cnnlab.ui.widgets.chart_updates import ChartUpdates, Update
from tests.samples import EPOCH, STEP


class Browser:
    """Holds a chart as live_chart.js does."""

    version = ""
    lines: list[dict[str, Any]]

    def take(self, update: Update) -> None:
        assert update.after in ("", self.version)
        lines = [dict(line) for line in update.plot["data"]]
        for place, line in enumerate(lines):
            kept = line.pop("kept", 0)
            for axis in ("x", "y"):
                line[axis] = [*(self.lines[place][axis][:kept] if kept else []), *line[axis]]
        self.version, self.lines = update.version, lines


def grown(history: History, steps: int) -> Plot:
    """The loss after so many more steps, and one more epoch."""
    for _ in range(steps):
        step = len(history.steps) + 1
        history.add(replace(STEP, step=step, epoch=step / 8, loss=1 / step))
    history.add(replace(EPOCH, epoch=len(history.epochs) + 1))
    return charts.curve(history, "loss")


def points(update: Update) -> list[int]:
    return [len(line["x"]) for line in update.plot["data"]]


def test_only_new_points_are_sent_after_the_first_time() -> None:
    history, updates = History(), ChartUpdates()
    assert points(updates.next("loss", grown(history, 30))) == [30, 1, 1]
    assert points(updates.next("loss", grown(history, 3))) == [3, 1, 1]
    assert points(updates.next("loss", grown(history, 2))) == [2, 1, 1]


@pytest.mark.parametrize("steps", [1, 40, 400])
def test_a_browser_that_takes_each_update_has_the_whole_chart(steps: int) -> None:
    history, updates, browser = History(), ChartUpdates(), Browser()
    for _ in range(5):  # of many steps, some lines are thinned anew
        plot = grown(history, steps)
        browser.take(updates.next("loss", plot))
        assert browser.lines == plot["data"]


def test_a_page_drawn_anew_gets_its_charts_whole() -> None:
    history = History()
    ChartUpdates().next("loss", grown(history, 30))
    update = ChartUpdates().next("loss", grown(history, 3))
    assert (update.after, points(update)) == ("", [33, 2, 2])


def test_a_browser_that_missed_an_update_gets_its_chart_whole() -> None:
    history, updates, browser = History(), ChartUpdates(), Browser()
    browser.take(updates.next("loss", grown(history, 30)))
    updates.next("loss", grown(history, 3))
    missed = updates.next("loss", grown(history, 3))
    assert missed.after != browser.version
    updates.forget("loss")
    plot = grown(history, 3)
    browser.take(updates.next("loss", plot))
    assert browser.lines == plot["data"]


def test_a_chart_that_has_not_changed_is_no_new_version() -> None:
    history, updates = History(), ChartUpdates()
    first = updates.next("loss", grown(history, 3))
    assert updates.next("loss", charts.curve(history, "loss")) is first
    assert updates.next("accuracy", charts.curve(history, "accuracy")) is not first
