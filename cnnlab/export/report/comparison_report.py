"""The report of several runs side by side: what differs, how they learned, which is better, and what they cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

from markupsafe import Markup

from cnnlab.evaluation.metrics import Answers, interval
from cnnlab.evaluation.significance import by_pair
from cnnlab.export.card.facts import reproduce
from cnnlab.export.report.page import rendered
from cnnlab.export.report.svg import Axis, Line, axis, interval_mark, line_chart, shares
from cnnlab.runs.comparison import colours, comparable_pairs, settings_apart
from cnnlab.runs.entry import Entry
from cnnlab.runs.run import Run
from cnnlab.runs.seeds import seeds_of
from cnnlab.runs.summary import how_tested


@dataclass(frozen=True)
class Side:
    """A run of the comparison: its number, name and colour, its test result as a mark, and how it is trained again."""

    number: int
    name: str
    colour: str
    entry: Entry
    interval: tuple[float, float] | None
    mark: Markup | str
    command: str


def comparison_report(
    entries: Mapping[str, Entry], answers_of: Callable[[Run], Answers], everything: Sequence[Entry] = ()
) -> bytes:
    """Write the report of runs by their names; ``answers_of`` returns a run's answers to its test images.

    Repeats of the runs among ``everything`` tell the noise of seeds. Raises as ``answers_of`` does.
    """
    pairs = comparable_pairs(entries)
    judged = {name: answers_of(entries[name].run) for name in dict.fromkeys(chain.from_iterable(pairs))}
    seeds = {name: seeds_of(entries[name], everything or list(entries.values())) for name in judged}
    sides = _sides(entries)
    apart = settings_apart(entries)
    return rendered(
        "comparison.html",
        title=f"Comparison of {len(entries)} runs",
        sides=sides,
        numbers={side.name: side.number for side in sides},
        settings=list(zip(apart.index, apart.to_numpy().tolist(), strict=True)),
        charts=_charts(sides),
        pairs=by_pair(judged, pairs, seeds).to_dict("records") if pairs else [],
        classes=_classes(sides),
        tested=[(side.number, how_tested(side.entry.summary, side.entry.run.looks)) for side in sides],
        made=f"{datetime.now(UTC):%Y-%m-%d}",
    )


def _sides(entries: Mapping[str, Entry]) -> list[Side]:
    bounds = {name: _interval(entry) for name, entry in entries.items()}
    known = [bound for both in bounds.values() if both for bound in both]
    scale = axis(known, written=shares) if known else None
    shades = colours(entries)
    return [
        Side(
            number=number,
            name=name,
            colour=shades[name],
            entry=entry,
            interval=bounds[name],
            mark=_mark(entry, bounds[name], scale, shades[name]),
            command=reproduce(entry.config)["command"] if entry.run.history().was_trained else "",
        )
        for number, (name, entry) in enumerate(entries.items(), 1)
    ]


def _interval(entry: Entry) -> tuple[float, float] | None:
    summary = entry.summary
    images = sum(summary.support.values())
    if summary.test_accuracy is None or not images:
        return None
    return interval(round(summary.test_accuracy * images), images)


def _mark(entry: Entry, bounds: tuple[float, float] | None, scale: Axis | None, colour: str) -> Markup | str:
    accuracy = entry.summary.test_accuracy
    if not (bounds and scale) or accuracy is None:
        return ""
    return interval_mark(bounds[0], accuracy, bounds[1], scale, colour)


def _charts(sides: Sequence[Side]) -> list[tuple[str, Markup]]:
    """Overlay validation loss and accuracy by epoch, each line labelled with its run's number."""
    histories = [(side, side.entry.run.history().epochs) for side in sides]
    charts = []
    for metric, heading in (("loss", "Validation loss (cross-entropy)"), ("accuracy", "Validation accuracy")):
        lines = [
            Line(
                str(side.number),
                [epoch["epoch"] for epoch in epochs],
                [epoch[f"validation_{metric}"] for epoch in epochs],
                side.colour,
                has_marks=len(epochs) <= 60,
            )
            for side, epochs in histories
            if epochs
        ]
        if lines:
            values = [value for line in lines for value in line.y]
            beside = axis(values, low=0.0) if metric == "loss" else axis([*values, 1.0], written=shares)
            below = axis([at for line in lines for at in line.x], "epoch", finest=1)
            charts.append((heading, line_chart(lines, below, beside, f"{heading} by epoch")))
    return charts


def _classes(sides: Sequence[Side]) -> list[tuple[str, list[float | None]]]:
    """Return each class with its test accuracy in every run; None where a run does not have it."""
    names = dict.fromkeys(name for side in sides for name in side.entry.summary.per_class)
    return [(name, [side.entry.summary.per_class.get(name) for side in sides]) for name in names]
