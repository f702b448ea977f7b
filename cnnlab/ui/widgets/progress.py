"""An experiment on a chapter's page: start button, progress, results so far."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab.jobs.worker import Progress, Worker
from cnnlab.learn.guesses import Guessable
from cnnlab.learn.shipped import Shipped
from cnnlab.ui.shell import poll, session
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.shell.state import TRIALS
from cnnlab.ui.widgets.guess_first import guess_first

UPDATE_SECONDS = 0.5


Step = TypeVar("Step", bound=Progress)


@dataclass(frozen=True)
class _Trial:
    asked: object  # the settings it was started with
    work: Worker[Any]


def trial(
    key: str,
    label: str,
    asked: object,
    steps: Callable[[], Generator[Step]],
    show: Callable[[Step], None],
    hint: str,
    shipped: Shipped[Step] | None = None,
    place: DeltaGenerator | None = None,
    guess: Guessable[Step] | None = None,
) -> None:
    """Show a button ``label`` that runs ``steps()`` in the background, and ``show`` for the latest result.

    ``asked`` stands for all settings: where they have changed since, the page says so. Until the button is pressed for
    them, a result that comes with the app, ``shipped``, is shown, once a ``guess`` of it has been offered; without one,
    ``hint`` says what to expect. The button is in ``place``, else here. A session runs one experiment at a time.
    """
    begun = _trials().get(key)
    is_running = begun is not None and begun.work.is_running
    is_begun = begun is not None and begun.asked == asked
    (place or st).button(
        label,
        key=f"{key}.begin",
        type="secondary" if shipped else "primary",
        icon=":material/science:",
        disabled=is_running,
        on_click=_begin,
        args=[key, asked, steps],
    )
    ready = None if is_running or is_begun else shipped
    reached = ready.reached if ready else begun.work.latest if begun and is_begun else None
    may_show = guess is None or _guess_first(key, guess, reached, is_begun, place)
    if ready:
        (place or st).caption(f":material/inventory_2: {ready.caption}")
        if may_show:
            show(ready.reached)
    elif begun is None:
        st.info(hint, icon=":material/science:")
    else:
        poll.follow(lambda: _trials()[key].work.is_running, UPDATE_SECONDS, _watch, key, asked, show)


def _guess_first(
    key: str, guess: Guessable[Step], reached: Step | None, is_begun: bool, aside: DeltaGenerator | None
) -> bool:
    found = guess.outcome(reached) if reached is not None else None
    return guess_first(key, guess.ask, (lambda: found) if found else None, is_begun=is_begun, aside=aside)


def _trials() -> dict[str, _Trial]:
    trials: dict[str, _Trial] = TRIALS.fill({})
    return trials


def _begin(key: str, asked: object, steps: Callable[[], Generator[Any]]) -> None:
    begun = _trials().get(key)
    if begun and begun.work.is_running and begun.asked == asked:  # a second click
        return
    for other in _trials().values():
        other.work.cancel()
    _trials()[key] = _Trial(asked, Worker(steps(), trains=True, owner=session.owner()))


def _watch(key: str, asked: object, show: Callable[[Any], None]) -> None:
    """Show the progress, and the results so far."""
    begun = _trials()[key]
    work = begun.work
    latest = work.latest
    if work.is_running:
        session.watch(work)
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.progress(latest.done if latest else 0.0, text=_told(work))
        right.button("Stop", key=f"{key}.stop", on_click=work.cancel, icon=":material/stop_circle:", width="stretch")
    elif work.error:
        st.error(as_reason(work.error), title="The experiment has failed")
    elif work.is_cancelled:
        st.caption("Stopped before its end.")
    if begun.asked != asked:
        st.caption(":material/history: Of the settings before: press the button again for these.")
    if latest is not None:
        show(latest)


def _told(work: Worker[Any]) -> str:
    if work.place:
        return f"Waiting for other trainings: number {work.place} in the queue"
    return f"{work.latest.done:.0%} done" if work.latest else "Starting"
