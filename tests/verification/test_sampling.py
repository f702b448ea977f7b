from __future__ import annotations

from math import nan
from random import Random

import pytest

from cnnlab.verification.sampling import chance_missed, chances_missed, chosen_epochs

CHANGES = {epoch: 1 / epoch for epoch in range(1, 21)}


def test_half_of_the_epochs_have_the_largest_changes_and_the_rest_are_random() -> None:
    draws = Random(0)
    chosen = [chosen_epochs(CHANGES, 6, draws) for _ in range(50)]
    assert all({1, 2, 3} < set(epochs) and len(epochs) == 6 for epochs in chosen)
    assert {epoch for epochs in chosen for epoch in epochs} == set(CHANGES)


def test_a_change_that_is_no_number_is_looked_at_first() -> None:
    assert 7 in chosen_epochs(CHANGES | {7: nan}, 2, Random(0))


@pytest.mark.parametrize("count", [20, 21, 1000])
def test_all_epochs_are_chosen_where_as_many_are_asked_for(count: int) -> None:
    assert chosen_epochs(CHANGES, count, Random(0)) == list(CHANGES)
    assert chance_missed(20, count, 1) == 0


def test_the_chance_is_that_of_drawing_none_that_is_forged() -> None:
    assert chance_missed(20, 1, 1) == pytest.approx(19 / 20)  # none by its change
    assert chance_missed(20, 10, 1) == pytest.approx(10 / 15)  # five by their change, five of fifteen at random
    assert chance_missed(20, 10, 11) == 0  # ten are left, so at least one is drawn


@pytest.mark.parametrize("forged", [1, 2, 5])
def test_the_chance_is_what_is_missed(forged: int) -> None:
    draws = Random(forged)
    missed = sum(not {20 - at for at in range(forged)} & set(chosen_epochs(CHANGES, 8, draws)) for _ in range(4000))
    assert missed / 4000 == pytest.approx(chance_missed(20, 8, forged), abs=0.03)


def test_chances_are_told_of_as_many_forged_epochs_as_there_are() -> None:
    assert list(chances_missed(4, 2)) == [1, 2]
    chances = list(chances_missed(100, 10).values())
    assert chances == sorted(chances, reverse=True)
