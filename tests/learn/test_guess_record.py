"""A record of guesses as a browser sends it: what is none is left out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cnnlab.learn.guess_record import LONGEST, MOST, KeptScore, Record, read_record
from cnnlab.learn.guesses import POINTS, Score


def score_of(number: int, **parts: Any) -> dict[str, Any]:
    return {"id": f"{number:016x}", "right": None, "off": None, "rank": None, **parts}


def record(*scored: object, habit: object = "guess") -> Record:
    return read_record(json.dumps({"habit": habit, "scored": scored}))


def test_a_record_comes_back_as_it_was_kept() -> None:
    kept = KeptScore.of(f"{7:016x}", POINTS, Score(True, 1.0, 1.234, 2))
    assert record(kept.model_dump()) == Record("guess", (kept,))
    assert kept.score == Score(True, None, 1.23, 2)


def test_amounts_in_other_units_are_not_kept() -> None:
    assert KeptScore.of(f"{7:016x}", "images", Score(True, 2.0, 3.0, None)).off is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "7", '"guess"', '{"scored": 7}', "[" * 5000, " " * (LONGEST + 1) + "{}"]
)
def test_what_is_no_record_is_an_empty_one(text: str) -> None:
    assert read_record(text) == Record()


@pytest.mark.parametrize("habit", ["never", 7, None, ["guess"], {"guess": 1}])
def test_an_unknown_habit_is_none(habit: object) -> None:
    assert record(habit=habit).habit == ""


@pytest.mark.parametrize(
    "wrong",
    [
        7,
        None,
        [],
        {},
        {"id": "<script>"},
        score_of(1, right="yes"),
        score_of(1, off=1e9),
        score_of(1, off="1"),
        score_of(1, rank=0),
        score_of(1, rank=1.5),
        score_of(1) | {"off": float("nan")},
    ],
)
def test_what_is_no_score_is_left_out(wrong: object) -> None:
    assert [one.id for one in record(wrong, score_of(2)).scored] == [f"{2:016x}"]


def test_a_result_counts_once_and_only_the_newest_are_kept() -> None:
    assert len(record(score_of(1), score_of(1)).scored) == 1
    full = record(*map(score_of, range(MOST)))
    more = full.with_more([KeptScore(id=f"{MOST:016x}"), KeptScore(id=f"{5:016x}")])
    assert [one.id for one in more.scored] == [f"{number:016x}" for number in range(1, MOST + 1)]


def test_a_full_record_is_not_too_long_to_be_read() -> None:
    longest = [score_of(number, right=False, off=-1999.99, rank=1000) for number in range(MOST)]
    assert len(json.dumps({"habit": "guess", "scored": longest})) < LONGEST
