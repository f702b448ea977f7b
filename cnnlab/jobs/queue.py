"""The queue of trainings: as many run at once as the machine has cores for, one on a GPU, in fair shares by owner.

Nobody waits for ever: a training whose slice is over lets one that is better placed train (``fair_share`` says which).
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition
from time import monotonic

from cnnlab.jobs.fair_share import NOBODYS, FairShare, Ticket
from cnnlab.training.device import devices, trainings_at_once


class TrainingQueue:
    """A queue of trainings, of which at most ``limit`` run. It is thread-safe.

    Where ``can_be_shared``, a training begins at once in the slot of another's trial, which takes its last step
    meanwhile. ``clock`` gives seconds; it can be replaced.
    """

    def __init__(self, limit: int, can_be_shared: bool = True, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._shares = FairShare(limit, can_be_shared)
        self._moved = Condition()

    @property
    def slots(self) -> int:
        """How many trainings run at once."""
        with self._moved:
            return self._shares.slots

    def take(self, who: object, gives_up: Callable[[], bool], ticket: Ticket = NOBODYS) -> bool:
        """Wait for a turn; return whether it came before ``gives_up()`` was true, called whenever the queue moves."""
        with self._moved:
            self.enter(who, ticket)
            self._moved.wait_for(lambda: gives_up() or self.has_turn(who))
            if gives_up():
                self.rest(who)
                return False
            return True

    def enter(self, who: object, ticket: Ticket = NOBODYS) -> None:
        """Let ``who`` wait for a turn, which it has at once where a slot is free."""
        with self._moved:
            self._shares.enter(who, ticket, self._clock())

    def has_turn(self, who: object) -> bool:
        """Tell whether ``who`` may train now."""
        with self._moved:
            return self._shares.has_slot(who)

    def rest(self, who: object) -> None:
        """Give up the turn of ``who``, if it has one; it may take another."""
        with self._moved:
            self._shares.rest(who, self._clock())
            self._moved.notify_all()

    def leave(self, who: object) -> None:
        """Give up the turn of ``who``, if it has one, for good."""
        with self._moved:
            self._shares.leave(who, self._clock())
            self._moved.notify_all()

    def resize(self, limit: int) -> None:
        """Let at most ``limit`` run from now on."""
        with self._moved:
            self._shares.resize(limit, self._clock())
            self._moved.notify_all()

    def limit(self, owner: str, most: int | None) -> None:
        """Let at most ``most`` trainings of ``owner`` run from now on, however many slots are free; None: no limit."""
        with self._moved:
            self._shares.limit(owner, most, self._clock())
            self._moved.notify_all()

    def wake(self) -> None:
        """Wake all that wait, which check whether they give up."""
        with self._moved:
            self._moved.notify_all()

    def is_over(self, who: object) -> bool:
        """Tell whether ``who`` has run for so long that another should run."""
        with self._moved:
            return self._shares.is_over(who, self._clock())

    def place(self, who: object) -> int:
        """Return the position in the queue, from 1 on; 0 where ``who`` does not wait."""
        with self._moved:
            return self._shares.place(who, self._clock())


training_queue = TrainingQueue(trainings_at_once(on_gpu=devices()[0] != "cpu"))  # this process's
