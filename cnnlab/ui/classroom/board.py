"""The board: a row a person, the best test accuracy first, and what the columns mean."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from math import isnan

import pandas as pd
import streamlit as st

from cnnlab.charts.board import accuracies
from cnnlab.classroom.assignment import Assignment
from cnnlab.classroom.board import Part, Row, board, shown_part
from cnnlab.classroom.board_table import board_table, digits_of, file_table, with_digits
from cnnlab.evaluation.metrics import Counted
from cnnlab.quantities import p_cell, percent
from cnnlab.text import file_name
from cnnlab.ui.classroom.digit_readings import read_digits
from cnnlab.ui.shell import classroom, frame, person
from cnnlab.ui.shell.address import ASSIGNMENT
from cnnlab.ui.shell.glossary_links import explain
from cnnlab.ui.widgets.figure import download_table

PARTS: dict[Part, str] = {"public": "Public half", "private": "Private half", "all": "All test images"}
_COLUMNS = {
    "Place": st.column_config.TextColumn(help="Same as above: chance explains the difference to the last place"),
    "Name": st.column_config.TextColumn(pinned=True),  # in sight while the others are swiped
    "Test": st.column_config.TextColumn("Test accuracy"),
    "Interval": st.column_config.TextColumn("95% interval", help="Of the test accuracy (Wilson)"),
    "p": st.column_config.TextColumn(help="McNemar's test against the last place, multiplied by the number of tests"),
    "Class digits": st.column_config.TextColumn(help="Of the digits that the class drew, without those that taught it"),
    "Validation": st.column_config.TextColumn(
        help="The run with the best one, of those that this person handed in, is on the board"
    ),
    "Verified": st.column_config.MultiselectColumn(
        options=["proved", "differs", "not proved"],
        color=["green", "red", "gray"],
        help="Proved: the training was executed again with the same numbers",
    ),
    "Looks": st.column_config.NumberColumn(help="How often this person's runs were tested on the test images"),
    "Parameters": st.column_config.NumberColumn(format="localized"),
    "Handed in": st.column_config.DatetimeColumn(format="D MMM, HH:mm"),
}
_SHOWN = ("Place", "Name", "Test", "Interval", "p", "Class digits", "Validation", "Verified", "Hand-ins", "Looks")
_ALSO = ("Epochs", "Parameters", "Handed in")


def show(assignment: Assignment) -> None:
    """Show the board; where nobody has handed in, what to do next."""
    handed = classroom.hand_ins().of(assignment.id)
    if not handed:
        st.info(
            "Nobody has handed in a run yet. Train one for this assignment, then press **Hand in** below its result.",
            icon=":material/leaderboard:",
        )
        if not person.me().is_in_charge:
            frame.door("Train", "Train for it", {ASSIGNMENT.name: assignment.id})
        return
    part = _part(assignment)
    rows = board(handed, assignment, part)
    names, proofs = person.names(), classroom.proofs()
    whole = board_table(rows, names, {row.best.run: proofs.get(row.best.run) for row in rows})
    writers, readings = read_digits(assignment, rows)
    found = [digits_of(row, writers, readings) for row in rows] if readings else []
    whole = with_digits(whole, found) if found else whole
    st.dataframe(_told(whole, found), hide_index=True, column_config=_COLUMNS, width="stretch")
    st.plotly_chart(
        accuracies(whole, [row.is_same for row in rows]),
        key="class.accuracies",
        alt="Test accuracy of each person with its interval",
        config={"displayModeBar": False},
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{PARTS[part]}: {rows[0].test.images:,} images. {_later(assignment)}", width="stretch")
        download_table(lambda: file_table(whole), f"board-{file_name(assignment.title)}")
    explain(
        "Of each person's runs, validation accuracy chooses one. Its test accuracy decides the order. McNemar's exact "
        "test compares it with the last place above on the same images; p is multiplied by the number of tests. Every "
        "look at the test images makes it easier to choose a run by luck, so looks are counted. *Proved* means that "
        "the training was executed again and gave the same numbers. Another one with the same settings and seed can "
        "give others: they also depend on the number of threads, which follows the machine's load. On a phone, swipe "
        "the table sideways to see all columns."
    )


def rows_of(assignment: Assignment) -> list[Row]:
    """Return the rows of the board as the class sees them."""
    return board(classroom.hand_ins().of(assignment.id), assignment, shown_part(assignment, datetime.now(UTC)))


def _part(assignment: Assignment) -> Part:
    """Return the part of the test images to show; teachers choose."""
    shown = shown_part(assignment, datetime.now(UTC))
    if shown == "all" or not person.me().is_in_charge:
        return shown
    chosen: Part = st.segmented_control(
        "Test images", list(PARTS), default=shown, format_func=PARTS.__getitem__, key="class.part", required=True
    )
    return chosen


def _later(assignment: Assignment) -> str:
    if assignment.has_halves and not assignment.is_over(datetime.now(UTC)):
        return "After the deadline the other half decides."
    return ""


def _digits(found: Counted | None) -> str:
    return f"{percent(found.accuracy, found.interval)} of {found.images}" if found else "–"


def _told(table: pd.DataFrame, digits: Sequence[Counted | None]) -> pd.DataFrame:
    """Return the table as people read it; ``digits`` are those of the class that each row's run reads, if known."""
    bounds: Sequence[tuple[float, float]] = list(zip(table["Low"], table["High"], strict=True))
    told = table.assign(
        Test=[percent(share, interval) for share, interval in zip(table["Test"], bounds, strict=True)],
        Interval=[f"{percent(low, (low, high))} to {percent(high, (low, high))}" for low, high in bounds],
        p=["" if isnan(p) else p_cell(p) for p in table["p"]],
        Validation=table["Validation"].map(percent),
        Verified=table["Verified"].map(lambda badge: [badge] if badge else []),
    )
    if digits:
        told["Class digits"] = [_digits(found) for found in digits]
    told["Handed in"] = pd.to_datetime(told["Handed in"], utc=True)
    return told[[name for name in (*_SHOWN, *_ALSO) if name in told.columns]]
