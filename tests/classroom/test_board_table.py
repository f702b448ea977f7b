from __future__ import annotations

from datetime import datetime
from math import isnan

from cnnlab.classroom.board import board
from cnnlab.classroom.board_table import SAME, board_table, digits_of, file_table, with_digits, writers_table
from cnnlab.classroom.digits import fingerprint
from cnnlab.classroom.proofs import Proof
from tests.classroom.samples import ADA, BOB, CYD, NOW, assignment, digits, handed

NAMES = {ADA.id: "Ada", BOB.id: "Bob", CYD.id: "Ada"}
ROWS = board([handed(ADA, [True] * 9 + [False]), handed(BOB, [True] * 10)], assignment())
WRITERS = {ADA.id: digits(), BOB.id: digits(0.1)}
READINGS = {"run-Ada-0": {ADA.id: "1" * 10, BOB.id: "1110000000"}, "run-Bob-0": {ADA.id: "0" * 10, BOB.id: "1" * 10}}


def test_a_row_says_who_how_good_with_its_interval_and_what_was_proved() -> None:
    table = board_table(ROWS, NAMES, {"run-Bob-0": Proof(outcome="proved", level=1)})
    first, second = table.to_dict("records")
    assert (first["Place"], first["Name"], first["Test"], first["Verified"]) == ("1", "Bob", 1.0, "proved")
    assert (second["Place"], second["Name"], second["Verified"]) == (SAME, "Ada", "")
    assert second["Low"] < second["Test"] < second["High"]


def test_the_file_has_numbers_and_times_that_say_where() -> None:
    table = file_table(with_digits(board_table(ROWS, NAMES, {}), [digits_of(ROWS[0], WRITERS, READINGS), None]))
    first, second = table.to_dict("records")
    assert (first["Class digits"], first["Class digits, count"]) == (0.5, 20)
    assert (isnan(second["Class digits"]), second["Class digits, count"]) == (True, 0)
    handed_in = datetime.fromisoformat(first["Handed in"])
    assert handed_in == ROWS[0].best.at
    assert handed_in.utcoffset() == NOW.astimezone().utcoffset()
    assert len(first["Handed in"]) == len("2030-05-01T12:00:00+00:00")


def test_the_hardest_handwriting_comes_first_and_each_network_has_a_column() -> None:
    table = writers_table(ROWS, NAMES, WRITERS, READINGS)
    assert table.to_dict("records") == [
        {"Writer": "Ada", "All networks": 0.5, "Bob": 0.0, "Ada": 1.0},
        {"Writer": "Bob", "All networks": 0.65, "Bob": 1.0, "Ada": 0.3},
    ]


def test_a_network_has_no_figure_for_writers_who_taught_it() -> None:
    taught = handed(ADA, [True] * 10, taught=(fingerprint(digits(0.5)[0]),))
    (row,) = board([taught], assignment())
    table = writers_table([row], NAMES, WRITERS, READINGS)
    assert table.set_index("Writer")["Ada"].isna().to_dict() == {"Ada": True, "Bob": False}
    found = digits_of(row, WRITERS, READINGS)
    assert found
    assert (found.hits, found.images) == (3, 10)
    assert digits_of(row, {ADA.id: digits()}, READINGS) is None


def test_people_of_one_name_are_told_apart() -> None:
    rows = board([handed(ADA, [True]), handed(CYD, [True], minute=1)], assignment())
    known = {one: {ADA.id: "1" * 10} for one in ("run-Ada-0", "run-Cyd-1")}
    table = writers_table(rows, NAMES, {ADA.id: digits()}, known)
    assert list(table.columns) == ["Writer", "All networks", "Ada", "Ada (2)"]
