"""What a page's address asks for, and what the page puts there: for what ``bind="query-params"`` does not do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import streamlit as st

from cnnlab.ui.shell.state import SHOWN_QUERY, Key, followed, visit


@dataclass(frozen=True)
class Param:
    """A parameter of the address; one of several values has them between commas."""

    name: str

    def value(self) -> str | None:
        """Give what the address says, None where it says nothing."""
        return st.query_params.get(self.name)

    def values(self, known: Collection[str]) -> list[str]:
        """Give those of its values that are ``known``."""
        return [value for value in (self.value() or "").split(",") if value in known]

    def put(self, *values: str) -> None:
        """Have the address say so."""
        st.query_params[self.name] = ",".join(values)

    def drop(self) -> bool:
        """Take it out of the address; tell whether it said anything."""
        return bool(st.query_params.pop(self.name, None))

    def choice(self, known: Iterable[str], key: Key[str], refusal: str) -> None:
        """Give the widget of ``key`` the value that the address names, else the first of ``known``.

        One that is not known is told with ``refusal``.
        """
        offered, asked = list(known), self.value()
        if asked and asked not in offered:
            st.warning(refusal, icon=":material/link_off:")
        key.put(asked if asked and asked in offered else offered[0])

    def take(self, key: Key[str]) -> None:
        """Put what the widget of ``key`` has into the address; for its callback."""
        self.put(key.get())


CHAPTER, COMPARE, DESIGN, RUN, RUNS = Param("chapter"), Param("compare"), Param("design"), Param("run"), Param("runs")
SWEEP, TERM, TRAP, VIEW = Param("sweep"), Param("term"), Param("trap"), Param("view")


def query() -> dict[str, str]:
    """Give all parameters."""
    return st.query_params.to_dict()


def put_query(query: Mapping[str, str]) -> None:
    """Have the address say just this, in one step of the browser's history."""
    st.query_params.from_dict(query)


def drop(names: Iterable[str]) -> None:
    """Take these parameters out of the address, as far as they are there."""
    for name in set(st.query_params) & set(names):
        del st.query_params[name]


def show_in_browser() -> None:
    """Have the browser show the address of a link to the page it stands on: it changes the page, but not by itself."""
    now = query()
    if SHOWN_QUERY.get() != now:
        SHOWN_QUERY.put(now)
        put_query(now)


def is_new(place: str, asked: object) -> bool:
    """Tell whether ``place`` is asked for this for the first time since the page was come to, and note that it was.

    What a link asks for is done once; afterwards the reader chooses.
    """
    known = followed(place).get() == (visit(), asked)
    note(place, asked)
    return not known


def note(place: str, asked: object) -> None:
    """Note that ``place`` has what ``asked`` stands for."""
    followed(place).put((visit(), asked))
