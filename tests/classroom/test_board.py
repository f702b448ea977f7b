"""Who stands where on the board, and what chance explains."""

from __future__ import annotations

from datetime import timedelta
from math import isnan

import numpy as np

from cnnlab.classroom.board import best_of, board, part_of, shown_part
from cnnlab.people.rights import Person
from tests.classroom.samples import ADA, BOB, CYD, NOW, assignment, handed

TASK = assignment()
HALVED = assignment(has_halves=True, deadline=NOW)


def right(count: int, of: int = 200) -> list[bool]:
    return [number < count for number in range(of)]


def test_validation_chooses_among_a_persons_runs_and_the_test_orders_people() -> None:
    rows = board(
        [
            handed(ADA, right(190), validation=0.8),
            handed(ADA, right(150), validation=0.9, minute=1, looks=4),  # worse on the test, but chosen
            handed(BOB, right(160)),
        ],
        TASK,
    )
    assert [(row.person, row.test.hits, row.hand_ins, row.looks) for row in rows] == [
        (BOB.id, 160, 1, 1),
        (ADA.id, 150, 2, 4),
    ]


def test_of_equal_validation_the_earliest_is_chosen() -> None:
    first, second = handed(ADA, right(1)), handed(ADA, right(2), minute=1)
    assert best_of([second, first]) == first


def test_what_chance_explains_is_the_same_as_above_and_what_it_does_not_is_not() -> None:
    first, second, third = board([handed(ADA, right(190)), handed(BOB, right(189)), handed(CYD, right(120))], TASK)
    assert isnan(first.p)
    assert not first.is_same
    assert second.is_same  # 1 image apart: p = 1
    assert not third.is_same  # 69 images, all one way
    assert third.p < 1e-6


def test_the_tests_are_corrected_for_their_number() -> None:
    best, six_fewer = right(200), right(194)  # p = 0.031 alone
    two = [handed(BOB, best), handed(ADA, six_fewer)]
    assert not board(two, TASK)[1].is_same
    assert board([*two, handed(CYD, six_fewer, minute=1)], TASK)[1].is_same  # 0.063 with two tests


def test_small_steps_add_up_to_another_place() -> None:
    people = [Person("member", f"{number:032x}", f"P{number}") for number in range(5)]
    rows = board([handed(one, right(200 - 5 * number)) for number, one in enumerate(people)], TASK)
    assert [row.is_same for row in rows] == [False, True, False, True, False]  # 10 images apart are more than chance


def test_runs_on_other_test_images_are_not_compared() -> None:
    rows = board([handed(ADA, right(190)), handed(BOB, right(90, 100))], TASK)
    assert all(isnan(row.p) for row in rows)


def test_the_halves_are_random_disjoint_of_one_size_and_the_assignments_own() -> None:
    public, private = part_of(HALVED, 500, "public"), part_of(HALVED, 500, "private")
    assert (public ^ private).all()
    assert public.sum() == 250
    assert not public[:250].all()
    assert np.array_equal(public, part_of(HALVED, 500, "public"))
    assert not np.array_equal(public, part_of(assignment(id="b" * 16), 500, "public"))


def test_the_class_sees_one_half_until_the_deadline_and_then_the_other() -> None:
    assert shown_part(TASK, NOW) == "all"
    assert shown_part(HALVED, NOW) == "public"
    assert shown_part(HALVED, NOW + timedelta(seconds=1)) == "private"
    hits = part_of(HALVED, 200, "public")
    mine = handed(ADA, [bool(hit) for hit in hits])  # right on the public half alone
    (public,), (private,) = board([mine], HALVED, "public"), board([mine], HALVED, "private")
    assert (public.test.accuracy, private.test.accuracy) == (1.0, 0.0)


def test_an_empty_board_has_no_rows() -> None:
    assert board([], TASK) == []
