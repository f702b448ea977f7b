"""A computation that a page waits for: at once where it is short, else in the background with its progress."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, ParamSpec, Protocol, TypeVar

import streamlit as st

from cnnlab.jobs.worker import Progress, Worker
from cnnlab.ui.shell import poll, session
from cnnlab.ui.shell.literal import literal
from cnnlab.ui.shell.reasons import as_reason

AT_ONCE_SECONDS = 1.0  # that a page waits before it shows progress
UPDATE_SECONDS = 0.5

P = ParamSpec("P")
Step = TypeVar("Step", bound=Progress)


def begun(steps: Generator[Step]) -> Worker[Step]:
    """Begin a computation; return it when it is over, or when it goes on in the background."""
    return Worker(steps, wait=AT_ONCE_SECONDS)


class Begin(Protocol[P, Step]):
    """A function that returns what ``begun`` does, kept by ``st.cache_resource``."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Worker[Step]: ...

    def clear(self, *args: Any, **kwargs: Any) -> None: ...


def awaited(what: str, begin: Begin[P, Step], *args: P.args, **kwargs: P.kwargs) -> Step | None:
    """Return the last step of the work that ``begin`` begins; None where there is none yet, and the page says why.

    ``what`` says what is done, and is unlike that of other computations on the page.
    """
    work = begin(*args, **kwargs)
    if work.is_running:
        session.watch(work)
        poll.until_over(lambda: work.is_running, UPDATE_SECONDS, _watch, work, what)
        return None
    if work.error:
        st.error(as_reason(work.error), title=f"{what} failed")
    elif work.is_cancelled:
        st.info(f"{what} was stopped before its end.", icon=":material/stop_circle:")
    else:
        return work.latest
    st.button(
        "Start again",
        key=f"awaited.again.{what}",
        icon=":material/refresh:",
        on_click=begin.clear,
        args=args,
        kwargs=kwargs,
    )
    return None


def _watch(work: Worker[Step], what: str) -> None:
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.progress(work.latest.done if work.latest else 0.0, text=literal(what))
    right.button(
        "Cancel", key=f"awaited.cancel.{what}", icon=":material/stop_circle:", on_click=work.cancel, width="stretch"
    )
