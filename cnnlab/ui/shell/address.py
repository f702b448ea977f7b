"""Parameters of a page's URL, read and written where ``bind="query-params"`` does not suffice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import streamlit as st

from cnnlab.ui.shell.state import SHOWN_QUERY, Key, followed, visit


@dataclass(frozen=True)
class Param:
    """A parameter of the URL; several values are separated by commas."""

    name: str

    def value(self) -> str | None:
        """Return the parameter's value, None where it is missing."""
        return st.query_params.get(self.name)

    def values(self, known: Collection[str]) -> list[str]:
        """Return those of its values that are ``known``."""
        return [value for value in (self.value() or "").split(",") if value in known]

    def has_unknown(self, known: Collection[str]) -> bool:
        """Check whether any of its values is none of the ``known``."""
        return any(value not in known for value in filter(None, (self.value() or "").split(",")))

    def put(self, *values: str) -> None:
        """Write the values into the URL."""
        if self.value() != (written := ",".join(values)):  # each write sends the browser a message
            st.query_params[self.name] = written

    def drop(self) -> bool:
        """Remove the parameter from the URL; return whether it was there."""
        return bool(st.query_params.pop(self.name, None))

    def choice(self, known: Iterable[str], key: Key[str], refusal: str) -> None:
        """Set the widget of ``key`` to the value that the URL names, else to the first of ``known``.

        A value that is not known shows the message ``refusal``.
        """
        offered = list(known)
        key.put(self.asked(offered, refusal) or offered[0])

    def asked(self, known: Collection[str], refusal: str) -> str | None:
        """Return the value if it is ``known``; None, with the message ``refusal``, where the URL names another."""
        value = self.value()
        if value and value not in known:
            st.warning(refusal, icon=":material/link_off:")
        return value if value in known else None

    def take(self, key: Key[str]) -> None:
        """Write the value of the widget of ``key`` into the URL; for its callback."""
        self.put(key.get())


ASSIGNMENT, CHAPTER, COMPARE, DATASET, DESIGN, RUN, RUNS = (
    Param("assignment"),
    Param("chapter"),
    Param("compare"),
    Param("dataset"),
    Param("design"),
    Param("run"),
    Param("runs"),
)
SWEEP, TERM, TRAP, VIEW, VISIT = Param("sweep"), Param("term"), Param("trap"), Param("view"), Param("visit")


def server_url(page: str) -> str:
    """Return the URL of the app's first page, without a slash at its end, as the browser has it on ``page``."""
    return (st.context.url or "").partition("?")[0].removesuffix("/").removesuffix(f"/{page}")


def query() -> dict[str, str]:
    """Return all parameters."""
    return st.query_params.to_dict()


def put_query(query: Mapping[str, str]) -> None:
    """Replace all parameters of the URL, in one step of the browser's history."""
    st.query_params.from_dict(query)


def drop(names: Iterable[str]) -> None:
    """Remove these parameters from the URL, where they are there."""
    for name in set(st.query_params) & set(names):
        del st.query_params[name]


def show_in_browser() -> None:
    """Write the URL of a link within the page into the browser's address bar: Streamlit alone only reruns the page."""
    now = query()
    if SHOWN_QUERY.get() != now:
        SHOWN_QUERY.put(now)
        put_query(now)


def is_new(place: str, asked: object) -> bool:
    """Check whether ``place`` gets this request for the first time since the page was opened, and record it.

    A link's request is followed once; afterwards the reader chooses.
    """
    known = followed(place).get() == (visit(), asked)
    note(place, asked)
    return not known


def note(place: str, asked: object) -> None:
    """Record that ``place`` already shows what ``asked`` requests."""
    followed(place).put((visit(), asked))
