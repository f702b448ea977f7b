from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from cnnlab.ui.shell.board import Board


def job(run_id: str, owner: str) -> Any:
    """A training that notes that it is stopped."""
    made = SimpleNamespace(run=SimpleNamespace(id=run_id), owner=owner, stops=0)
    made.stop = lambda: setattr(made, "stops", made.stops + 1)
    return made


def test_an_owner_s_trainings_come_in_the_order_in_which_they_were_added() -> None:
    board = Board()
    board.jobs = {each.run.id: each for each in (job("c", "Ada"), job("a", "Bob"), job("b", "Ada"))}
    assert [each.run.id for each in board.of("Ada")] == ["c", "b"]
    assert board.of("nobody") == []


def test_a_training_that_nobody_watches_is_stopped_and_its_successor_stays() -> None:
    first, again = job("a", "Ada"), job("a", "Ada")
    board = Board(jobs={"a": first})
    board.let_go(first)
    assert (board.jobs, first.stops) == ({}, 1)
    board.jobs["a"] = again  # resumed
    board.let_go(first)
    assert board.jobs == {"a": again}
    assert again.stops == 0
