"""The board and the digits by writer as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from cnnlab.classroom.board import Row
from cnnlab.classroom.digits import Writers, judges_of
from cnnlab.classroom.proofs import Proof
from cnnlab.classroom.readings import Readings
from cnnlab.data.table import DIGITS
from cnnlab.evaluation.metrics import Counted

SAME = "same as above"
_BADGES = {"proved": "proved", "differs": "differs", "unproved": "not proved"}
_WRITER_COLUMNS = ("Writer", "All networks")


def board_table(rows: Sequence[Row], names: Mapping[str, str], proofs: Mapping[str, Proof | None]) -> pd.DataFrame:
    """Return the board as a table; ``names`` are those of people by id, ``proofs`` by run. Accuracies are fractions."""
    return pd.DataFrame([_cells(place, row, names, proofs.get(row.best.run)) for place, row in enumerate(rows, 1)])


def _cells(place: int, row: Row, names: Mapping[str, str], proof: Proof | None) -> dict[str, object]:
    low, high = row.test.interval
    return {
        "Place": SAME if row.is_same else str(place),
        "Name": names.get(row.person, "?"),
        "Test": row.test.accuracy,
        "Low": low,
        "High": high,
        "p": row.p,
        "Validation": row.best.validation_accuracy,
        "Verified": _BADGES[proof.outcome] if proof else "",
        "Hand-ins": row.hand_ins,
        "Looks": row.looks,
        "Epochs": row.best.epochs,
        "Parameters": row.best.parameters,
        "Handed in": row.best.at,
        "Run": row.best.run,
    }


def file_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return the board as its file has it: times of the server's zone to the second, with its offset (ISO 8601)."""
    times = [moment.to_pydatetime().astimezone() for moment in pd.to_datetime(table["Handed in"], utc=True)]
    return table.assign(**{"Handed in": [moment.isoformat(timespec="seconds") for moment in times]})


def with_digits(table: pd.DataFrame, found: Sequence[Counted | None]) -> pd.DataFrame:
    """Return the board with the fraction of the class's digits that each row's run reads, and of how many."""
    after = list(table.columns).index("Validation")
    told = table.copy()
    told.insert(after, "Class digits", [one.accuracy if one else None for one in found])
    told.insert(after + 1, "Class digits, count", [one.images if one else 0 for one in found])
    return told


def digits_of(row: Row, writers: Writers, readings: Readings) -> Counted | None:
    """Return how many of the class's digits a row's run reads, of the writers that may judge it; None without any."""
    right = _right(row, writers, readings).values()
    return Counted("".join(right).count("1"), len(right) * len(DIGITS)) if right else None


def writers_table(rows: Sequence[Row], names: Mapping[str, str], writers: Writers, readings: Readings) -> pd.DataFrame:
    """Return a row for each writer: the fraction of their digits that all runs together and each run read right.

    A run has no figure for writers whose drawings it was trained on. The hardest handwriting comes first.
    """
    labels = _told_apart(rows, names)
    table: list[dict[str, object]] = []
    right = {labels[row.person]: _right(row, writers, readings) for row in rows}
    for writer in writers:
        each = {label: _fraction(hits.get(writer)) for label, hits in right.items()}
        known = [fraction for fraction in each.values() if fraction is not None]
        mean = sum(known) / len(known) if known else None
        table.append({**dict(zip(_WRITER_COLUMNS, (names.get(writer, "?"), mean), strict=True)), **each})
    return pd.DataFrame(table).sort_values("All networks", kind="stable") if table else pd.DataFrame()


def _right(row: Row, writers: Writers, readings: Readings) -> dict[str, str]:
    """Return which digits a row's run read right, by the writers that may judge it."""
    judges = judges_of(row.best, writers)
    return {writer: hits for writer, hits in readings.get(row.best.run, {}).items() if writer in judges}


def _fraction(hits: str | None) -> float | None:
    return hits.count("1") / len(hits) if hits else None


def _told_apart(rows: Sequence[Row], names: Mapping[str, str]) -> dict[str, str]:
    """Return a label for each person: the name, with a number where several have the same."""
    labels: dict[str, str] = {}
    for row in rows:
        name, number = names.get(row.person, "?"), 1
        label = name
        while label in _WRITER_COLUMNS or label in labels.values():
            number += 1
            label = f"{name} ({number})"
        labels[row.person] = label
    return labels
