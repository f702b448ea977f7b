from __future__ import annotations

from collections import Counter

import pytest

from cnnlab.drawings.challenge import ASKED, Challenge
from cnnlab.runs.run import Run
from cnnlab.runs.trained import load_trained, readings
from tests.samples import SEVEN

DIGITS = tuple("0123456789")


@pytest.mark.parametrize("classes", [DIGITS, tuple("abcdefghijklmnopqrstuvwxyz"), ("a", "b", "c")])
def test_ten_are_asked_each_class_as_often_as_any_other(classes: tuple[str, ...]) -> None:
    asked = Challenge.of(classes, seed=0).asked
    assert len(asked) == ASKED
    times = [Counter(asked)[name] for name in classes]
    assert max(times) - min(times) <= 1


def test_the_order_is_any() -> None:
    assert len({Challenge.of(DIGITS, seed).asked for seed in range(20)}) == 20


def test_what_is_handed_over_is_labelled_with_what_was_asked_and_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, *(100.0 + 2 * number for number in range(1, ASKED + 1))])
    monkeypatch.setattr("cnnlab.drawings.challenge.monotonic", lambda: next(clock))
    challenge = Challenge(DIGITS, since=next(clock))
    for _ in range(ASKED):
        assert not challenge.is_over
        challenge.hand_over(SEVEN)
    assert challenge.is_over
    assert [lesson.label for lesson in challenge.drawn] == list(challenge.asked)
    assert challenge.seconds == [2.0] * ASKED


@pytest.mark.slow
def test_a_network_reads_the_drawings(finished_run: Run) -> None:
    challenge = Challenge(("7", "1"))
    challenge.hand_over(SEVEN)
    challenge.hand_over(SEVEN)
    answers, certainty = readings(load_trained(finished_run), challenge.drawn)
    assert answers[0] == answers[1]
    assert certainty[0] == pytest.approx(certainty[1])
    assert all(0.1 <= share <= 1 for share in certainty)
