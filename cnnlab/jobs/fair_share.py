"""Fair shares of the slots: who trains next, and whose slice is over. It knows neither threads nor the clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import count
from math import inf
from operator import attrgetter

FIRST_SLICE_SECONDS = 10.0  # so that everybody sees curves early
SLICE_SECONDS = 60.0  # a default training is over by then
HALF_LIFE = 1800.0  # seconds after which what an owner has used counts half
FORGOTTEN = 1.0  # seconds: an owner who has used less counts as new


@dataclass(frozen=True)
class Ticket:
    """Whose a training is, and how it stands to the others in a queue."""

    owner: str = ""  # id; slots are shared out by owner
    in_order: bool = False  # among its owner's others that are, it starts in the order of arrival
    is_trial: bool = False  # of a sweep: others' trainings that are none get its slot at once


NOBODYS = Ticket()


@dataclass(frozen=True)
class Claim:
    """A training's claim to a slot; one that neither has a slot nor waits for one is paused."""

    who: object
    ticket: Ticket
    arrival: float  # a number that grows
    place: float  # the same, of when it began to wait this time
    slices: int = 0  # begun so far
    since: float = inf  # seconds, start of the running slice
    waits: bool = True
    gives_up: bool = False  # its slot, which another has already

    @property
    def owner(self) -> str:
        return self.ticket.owner

    @property
    def slice_seconds(self) -> float:
        return min(FIRST_SLICE_SECONDS, SLICE_SECONDS) if self.slices == 1 else SLICE_SECONDS


class FairShare:
    """The slots of a queue, the trainings that have one, and those that wait for one; ``now`` is in seconds.

    The next is of the owner with the fewest running trainings, then of the one who has used least, then the oldest.
    Slots stay free rather than go to an owner whose limit is reached. Where a trial's slot ``can_be_shared``, who gets
    it has it at once, while the trial takes its last step.
    """

    def __init__(self, slots: int, can_be_shared: bool = True) -> None:
        self.slots = slots
        self._can_be_shared = can_be_shared
        self._known: dict[object, Claim] = {}
        self._used: dict[str, tuple[float, float]] = {}  # by owner: seconds of slots, and when they were counted
        self._limits: dict[str, int] = {}  # of an owner's running trainings
        self._arrivals = count()

    def limit(self, owner: str, most: int | None, now: float) -> None:
        """Let at most ``most`` trainings of ``owner`` have a slot from now on; None: as many as there are."""
        self._limits.pop(owner, None)
        if most is not None:
            self._limits[owner] = most
        self._fill(now)

    def resize(self, slots: int, now: float) -> None:
        """Have ``slots`` from now on; where these are fewer, nobody loses one before the end of a slice."""
        self.slots = slots
        self._fill(now)

    def enter(self, who: object, ticket: Ticket, now: float) -> None:
        """Let ``who`` wait: at the end, or where it comes back, at the end of this round and with its first ticket."""
        number = next(self._arrivals)
        known = self._known.get(who) or Claim(who, ticket, arrival=number, place=number)
        self._known[who] = replace(known, place=number, waits=True)
        self._fill(now)

    def rest(self, who: object, now: float) -> None:
        """Free the slot of ``who``, if it has one; it may come back."""
        if (known := self._known.get(who)) is None:
            return
        if known.since < inf:
            self._used[known.owner] = self._used_before(known.owner, now) + now - known.since, now
        self._known[who] = replace(known, since=inf, waits=False, gives_up=False)
        self._fill(now)

    def leave(self, who: object, now: float) -> None:
        """Free the slot or the place of ``who`` for good."""
        self.rest(who, now)
        self._known.pop(who, None)
        self._used = {owner: kept for owner, kept in self._used.items() if self._used_before(owner, now) > FORGOTTEN}

    def has_slot(self, who: object) -> bool:
        """Tell whether ``who`` may train now."""
        return who in self._known and self._known[who].since < inf

    def is_over(self, who: object, now: float) -> bool:
        """Tell whether the slice of ``who`` is over and another would come next if ``who`` waited, too.

        A trial has no slice of its own while others' trainings wait.
        """
        known = self._known.get(who)
        if known is None or known.since == inf:
            return False
        waiting = self._waiting()
        if now - known.since < known.slice_seconds:
            waiting = [one for one in waiting if _yields(known.ticket, one.ticket)]
        return known.gives_up or (bool(waiting) and self._is_behind(known, waiting, now))

    def place(self, who: object, now: float) -> int:
        """Return the position of ``who`` among those that wait, from 1 on; 0 where it does not wait."""
        if who not in self._known or not self._known[who].waits:
            return 0
        waiting, running = self._waiting(), self._running()
        for place in count(1):
            following = self._next(waiting, running, now) or self._next(waiting, Counter(), now)
            assert following
            if following.who == who:
                return place
            waiting.remove(following)
            running[following.owner] += 1
        raise AssertionError

    def _fill(self, now: float) -> None:
        """Give slots that are free, or a trial's, to those that come next."""
        while (following := self._next(self._waiting(), self._running(), now)) is not None:
            if len(self._running_ones()) >= self.slots:
                if not (trial := self._sharing(following, now)):
                    return
                self._known[trial.who] = replace(trial, gives_up=True)
            self._known[following.who] = replace(following, since=now, slices=following.slices + 1, waits=False)

    def _sharing(self, following: Claim, now: float) -> Claim | None:
        """Return a running trial whose slot goes to the one that comes next; None where there is none."""
        running = self._running_ones() if self._can_be_shared else []
        trials = (one for one in running if _yields(one.ticket, following.ticket))
        return next((one for one in trials if self._is_behind(one, [following], now)), None)

    def _is_behind(self, running: Claim, waiting: Sequence[Claim], now: float) -> bool:
        """Tell whether one of those that wait would come before a running one, if that waited too."""
        again = replace(running, place=inf)
        others = self._running() - Counter([running.owner])
        return self._next([*waiting, again], others, now) not in (again, None)

    def _next(self, waiting: Collection[Claim], running: Counter[str], now: float) -> Claim | None:
        """Return the one that comes next; None where the limits of all their owners are reached."""
        last_to_first = sorted(waiting, key=attrgetter("arrival"), reverse=True)
        first = {one.owner: one.arrival for one in last_to_first if one.ticket.in_order}
        heads = [one for one in waiting if not one.ticket.in_order or one.arrival == first[one.owner]]
        free = [one for one in heads if running[one.owner] < self._limits.get(one.owner, inf)]
        return min(
            free, key=lambda one: (running[one.owner], self._used_until(one.owner, now), one.place), default=None
        )

    def _waiting(self) -> list[Claim]:
        return [one for one in self._known.values() if one.waits]

    def _running_ones(self) -> list[Claim]:
        """List those that have a slot, and give it to nobody."""
        return [one for one in self._known.values() if one.since < inf and not one.gives_up]

    def _running(self) -> Counter[str]:
        return Counter(one.owner for one in self._running_ones())

    def _used_until(self, owner: str, now: float) -> float:
        """Return the seconds of slots that an owner has used, those of running trainings included."""
        running = (one for one in self._known.values() if one.since < inf and one.owner == owner)
        return self._used_before(owner, now) + sum(now - one.since for one in running)

    def _used_before(self, owner: str, now: float) -> float:
        seconds, counted = self._used.get(owner, (0.0, now))
        return float(seconds * 0.5 ** ((now - counted) / HALF_LIFE))


def _yields(running: Ticket, waiting: Ticket) -> bool:
    return running.is_trial and not waiting.is_trial and running.owner != waiting.owner
