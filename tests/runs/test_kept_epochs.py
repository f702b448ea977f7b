from __future__ import annotations

from itertools import pairwise

import pytest

from cnnlab.runs.kept_epochs import BEST, LAST, is_regular, most_kept, unneeded
from cnnlab.training.config import MAX_EPOCHS


def left(last: int, best: set[int] | None = None) -> list[int]:
    """What stays of a training that thins out after each epoch, without knowing its end."""
    saved = [0]
    for epoch in range(1, last + 1):
        saved.append(epoch)
        gone = unneeded(saved, best or set())
        saved = [one for one in saved if one not in gone]
    return saved


def test_of_the_first_epochs_all_are_kept_then_ever_fewer() -> None:
    regular = [epoch for epoch in range(MAX_EPOCHS + 1) if is_regular(epoch)]
    assert regular[:21] == [*range(21)]
    assert [epoch for epoch in regular if 20 < epoch <= 80] == [*range(22, 41, 2), *range(44, 81, 4)]
    steps = [after - before for before, after in pairwise(regular)]
    assert steps == sorted(steps)
    assert len(regular) < 80


@pytest.mark.parametrize("last", [1, 2, 20, 21, 45, 200, MAX_EPOCHS])
def test_the_end_is_always_there_and_never_more_than_was_told(last: int) -> None:
    kept = left(last, best={last // 2 + 1, last // 3 + 1})
    assert set(range(max(0, last - LAST + 1), last + 1)) <= set(kept)
    assert {last // 2 + 1, last // 3 + 1} <= set(kept)
    assert len(kept) - 1 <= most_kept(last) <= min(last, len(left(last)) - 1 + BEST)


def test_a_best_epoch_goes_once_another_is_better() -> None:
    assert 23 in left(30, best={23})
    assert unneeded([*range(21), 22, 23, 24, 26, 28], best={26}) == [23]


def test_further_epochs_are_thinned_as_the_first() -> None:
    assert most_kept(60, after=45) == len([48, 52, 56, 59, 60]) + BEST
    assert most_kept(45, after=45) == 0
    assert most_kept(3) == 3
