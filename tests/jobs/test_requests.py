from __future__ import annotations

from collections.abc import Callable
from itertools import product
from threading import Thread

import pytest

from cnnlab.jobs.requests import Requests, TrainingRequests

ASKED: dict[str, Callable[[Requests], None]] = {"pause": Requests.pause, "go on": Requests.go_on, "stop": Requests.stop}
ORDERS = [order for length in range(1, 5) for order in product(ASKED, repeat=length)]


@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
def test_a_stop_outweighs_every_pause_and_else_the_last_one_counts(order: tuple[str, ...]) -> None:
    requests = Requests()
    for asked in order:
        ASKED[asked](requests)
    assert requests.is_stopped == ("stop" in order)
    assert requests.is_paused == ("stop" not in order and order[-1] == "pause")
    assert requests.wait(lambda: not requests.is_paused, timeout=0) != requests.is_paused


@pytest.mark.parametrize("end", [Requests.go_on, Requests.stop])
def test_who_waits_in_a_pause_wakes_when_it_ends(end: Callable[[Requests], None]) -> None:
    requests = Requests()
    requests.pause()
    waiting = Thread(target=requests.wait, args=[lambda: not requests.is_paused])
    waiting.start()
    end(requests)
    waiting.join()


def test_of_two_learning_rates_the_later_is_taken_once() -> None:
    requests = TrainingRequests()
    requests.set_rate(0.1)
    requests.set_rate(0.2)
    assert requests.rate == requests.take_rate() == 0.2
    assert requests.rate is None


def test_what_is_abandoned_is_stopped_but_not_the_other_way_round() -> None:
    stopped, abandoned = TrainingRequests(), TrainingRequests()
    stopped.stop()
    abandoned.abandon()
    assert (stopped.is_stopped, stopped.is_abandoned) == (True, False)
    assert (abandoned.is_stopped, abandoned.is_abandoned) == (True, True)
