"""Runs as pages list them, and what pages ask of all of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Hashable
from functools import cached_property
from itertools import compress
from typing import Any, TypeVar

from cnnlab.people.belonging import Belonging
from cnnlab.people.rights import ADMINISTRATOR, Action, Person, may
from cnnlab.runs.entry import Entry

Result = TypeVar("Result")


class Listing(tuple[Entry, ...]):
    """Runs, the newest first, and what pages ask of all of them, computed once.

    What is asked of each run stands apart from it: to look into 10,000 entries takes a page 10 ms.
    """

    ids: tuple[str, ...] = ()
    viewed: tuple[str, ...] = ()  # of each run: its data set where it has weights that can be shown, else ""
    belongings: tuple[Belonging, ...] = ()
    running: frozenset[str] = frozenset()  # ids

    @cached_property
    def by_id(self) -> dict[str, Entry]:
        return dict(zip(self.ids, self, strict=True))

    @cached_property
    def datasets(self) -> frozenset[str]:
        """The data sets of runs with weights that can be shown."""
        return frozenset(self.viewed) - {""}

    def once(self, compute: Callable[[Listing], Result]) -> Result:
        """Return what ``compute`` makes of the runs, computed at the first call; all sessions share the result."""
        if compute not in self._computed:
            self._computed[compute] = compute(self)
        result: Result = self._computed[compute]
        return result

    def viewable(self, datasets: Collection[str], own: str | None, person: Person = ADMINISTRATOR) -> Listing:
        """Return the runs of these data sets with weights that have ended, and one's ``own``: those ``person`` may see.

        A visitor sees one's ``own`` alone.
        """
        names, hidden, only = frozenset(datasets), self.running - {own}, own if person.role == "visitor" else None
        key = (names, hidden, person, only)
        if key not in self._computed:
            shown = [dataset in names for dataset in self.viewed]
            for run_id in hidden:
                shown[self.ids.index(run_id)] = False
            if not person.is_in_charge:
                seen = [may(person, Action.SEE, belonging) for belonging in self.belongings]
                shown = [both == (True, True) for both in zip(shown, seen, strict=True)]
            if person.role == "visitor":
                shown = [is_shown and run_id == own for is_shown, run_id in zip(shown, self.ids, strict=True)]
            self._computed[key] = self._among(shown)
        listing: Listing = self._computed[key]
        return listing

    def _among(self, shown: list[bool]) -> Listing:
        """Return the runs that are ``shown``."""
        if all(shown):
            return self
        listing = Listing(compress(self, shown))
        listing.ids, listing.viewed = tuple(compress(self.ids, shown)), tuple(compress(self.viewed, shown))
        listing.belongings = tuple(compress(self.belongings, shown))
        listing.running = self.running.intersection(listing.ids)
        return listing

    @cached_property
    def _computed(self) -> dict[Hashable, Any]:
        return {}


class Lists:
    """The readable runs in the order of their ids, of which listings are made."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._entries: list[Entry] = []
        self._viewed: list[str] = []
        self._belongings: list[Belonging] = []
        self._running: set[str] = set()

    def put(self, run_id: str, entry: Entry | None) -> None:
        """Add a run, or replace it, or remove it where there is no ``entry``."""
        at = bisect_left(self._ids, run_id)
        old = slice(at, at + (self._ids[at : at + 1] == [run_id]))
        self._running.discard(run_id)
        if entry is None:
            del self._ids[old], self._entries[old], self._viewed[old], self._belongings[old]
            return
        self._ids[old], self._entries[old] = [run_id], [entry]
        self._viewed[old] = [entry.dataset if entry.is_trained else ""]
        self._belongings[old] = [Belonging(owner=entry.owner, is_shown=entry.is_shown)]
        if entry.status == "running":
            self._running.add(run_id)

    def listing(self) -> Listing:
        """Return the runs as they are now."""
        listing = Listing(reversed(self._entries))
        listing.ids, listing.viewed = tuple(reversed(self._ids)), tuple(reversed(self._viewed))
        listing.belongings = tuple(reversed(self._belongings))
        listing.running = frozenset(self._running)
        return listing
