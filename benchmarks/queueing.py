"""A class at the queue of trainings, whose clock is counted: seconds until each pupil's training takes its first step.

Somebody has just started a sweep of many trials at once. In fair shares by owner, and first come, first served.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from cnnlab.jobs.fair_share import Ticket
from cnnlab.jobs.queue import TrainingQueue

PUPILS, TRIALS, SLOTS = 30, 30, 8
SECONDS = 30.0  # of a slot, that a default training takes
TICK = 0.1  # seconds between two looks at the queue
SPREAD = {"all at once": 0.0, "within a minute": 2.0}  # seconds between two pupils' clicks

Figures = dict[str, dict[str, dict[str, float]]]


@dataclass(eq=False)
class Training:
    """A training as the queue sees it; times are in seconds."""

    owner: str
    arrives: float
    left: float = SECONDS
    first_step: float = 0.0
    end: float = 0.0
    is_trial: bool = False

    @property
    def wait(self) -> float:
        return self.first_step - self.arrives


def measure() -> Figures:
    """Return the seconds to the pupils' first steps and ends, by when they come and how the queue is ordered."""
    return {
        arrival: {order: _told(pupils_at_the_queue(apart, is_fair)) for order, is_fair in _ORDERS.items()}
        for arrival, apart in SPREAD.items()
    }


_ORDERS = {"fair shares": True, "first come, first served": False}


def table(figures: Figures) -> str:
    """Write the figures as Markdown."""
    rows = [
        f"| {arrival} | {order} | {row['median']:.0f} | {row['worst']:.0f} | {row['last_end']:.0f} |"
        for arrival, orders in figures.items()
        for order, row in orders.items()
    ]
    head = "| pupils come | order | first step after, s, median | at worst | all pupils' trainings ended after, s |"
    return "\n".join([head, "|---" * 5 + "|", *rows])


def pupils_at_the_queue(apart: float, is_fair: bool = True) -> list[Training]:
    """Return the pupils' trainings, which come ``apart`` seconds from one another, once all have ended."""
    sweep = [Training("sweep", arrives=0.0, is_trial=True) for _ in range(TRIALS)]
    pupils = [Training(f"pupil {number}", arrives=1.0 + number * apart) for number in range(PUPILS)]
    train([*sweep, *pupils], SLOTS, is_fair)
    return pupils


def train(trainings: Sequence[Training], slots: int, is_fair: bool = True) -> None:
    """Let trainings come to a queue and train to their ends, or without fair shares in the order of arrival."""
    ticks = 0
    queue = TrainingQueue(slots, clock=lambda: ticks * TICK)
    coming, here = sorted(trainings, key=lambda one: one.arrives), list[Training]()
    while coming or here:
        now = ticks * TICK
        while coming and coming[0].arrives <= now:
            here.append(coming.pop(0))
            _enter(queue, here[-1], is_fair)
        for one in here:
            if queue.has_turn(one):
                _step(queue, one, now, is_fair)
        here = [one for one in here if not one.end]
        ticks += 1


def _enter(queue: TrainingQueue, one: Training, is_fair: bool) -> None:
    """Come to the queue; trainings of one owner that are in order are served in the order of their arrival."""
    queue.enter(one, Ticket(one.owner, is_trial=one.is_trial) if is_fair else Ticket(in_order=True))


def _step(queue: TrainingQueue, one: Training, now: float, is_fair: bool) -> None:
    one.first_step = one.first_step or now
    one.left -= TICK
    if one.left <= TICK / 2:
        one.end = now + TICK
        queue.leave(one)
    elif queue.is_over(one):
        queue.rest(one)
        _enter(queue, one, is_fair)


def _told(pupils: Sequence[Training]) -> dict[str, float]:
    waits = [one.wait for one in pupils]
    return {"median": median(waits), "worst": max(waits), "last_end": max(one.end for one in pupils)}


if __name__ == "__main__":
    print(table(measure()))
