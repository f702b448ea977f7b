from __future__ import annotations

from datetime import timedelta

import pytest

from cnnlab.classroom.assignment import CHOICES
from cnnlab.ui.widgets.assignment_rules import deadline, free_settings, limits
from tests.classroom.samples import NOW, assignment


@pytest.mark.parametrize(
    ("free", "words"),
    [
        (CHOICES, "You may change everything but the data set."),
        ((), "All settings are fixed."),
        (("architecture", "optimizer"), "You may change: Network, Optimiser. All else is fixed."),
    ],
)
def test_what_may_be_changed_is_listed(free: tuple[str, ...], words: str) -> None:
    assert free_settings(assignment(free=free)) == words


def test_a_long_list_is_cut() -> None:
    assert "and 2 more. All else is fixed." in free_settings(assignment(free=CHOICES[:14]))


def test_limits_are_those_that_are_set() -> None:
    assert limits(assignment(hand_ins_a_day=1)) == "At most 1 hand-in a day."
    asked = assignment(most_epochs=9, most_parameters=20_000, may_continue=True)
    assert limits(asked).startswith("At most 9 epochs, 20,000 parameters, 5 hand-ins a day. Runs may start")


def test_a_deadline_is_open_closed_or_not_there() -> None:
    asked = assignment(deadline=NOW)
    assert deadline(asked, NOW).startswith("Hand in until 01 May 2030, ")
    assert deadline(asked, NOW + timedelta(seconds=1)).startswith("Closed since 01 May 2030, ")
    assert deadline(assignment(), NOW) == "No deadline"
