from __future__ import annotations

from collections.abc import Callable
from itertools import product
from threading import Thread

import pytest

from cnnlab.jobs.requests import Wishes

ASKED: dict[str, Callable[[Wishes], None]] = {"pause": Wishes.pause, "go on": Wishes.go_on, "stop": Wishes.stop}
ORDERS = [order for length in range(1, 5) for order in product(ASKED, repeat=length)]


@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
def test_a_stop_outweighs_every_pause_and_else_the_last_one_counts(order: tuple[str, ...]) -> None:
    wishes = Wishes()
    for asked in order:
        ASKED[asked](wishes)
    assert wishes.is_stopped == ("stop" in order)
    assert wishes.is_paused == ("stop" not in order and order[-1] == "pause")
    assert wishes.wait(lambda: not wishes.is_paused, timeout=0) != wishes.is_paused


@pytest.mark.parametrize("end", [Wishes.go_on, Wishes.stop])
def test_who_waits_in_a_pause_wakes_when_it_ends(end: Callable[[Wishes], None]) -> None:
    wishes = Wishes()
    wishes.pause()
    waiting = Thread(target=wishes.wait, args=[lambda: not wishes.is_paused])
    waiting.start()
    end(wishes)
    waiting.join()
