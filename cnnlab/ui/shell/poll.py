"""Parts of a page that refresh while a job runs, and a redraw of the page when it ends.

For parts that refresh without end, such as a clock, use a plain ``st.fragment``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

P = ParamSpec("P")


def follow(
    is_running: Callable[[], bool], seconds: float, draw: Callable[P, object], *args: P.args, **kwargs: P.kwargs
) -> None:
    """Draw a part of the page every ``seconds`` while ``is_running()``; redraw the whole page when that changes."""
    paced(lambda: seconds if is_running() else None, draw, *args, **kwargs)


def paced(pace: Callable[[], float | None], draw: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Draw a part of the page every ``pace()`` seconds, or once if None; redraw the whole page when that changes."""
    _tick(pace(), pace, draw, *args, **kwargs)


def until_over(
    is_running: Callable[[], bool], seconds: float, draw: Callable[P, object], *args: P.args, **kwargs: P.kwargs
) -> None:
    """Draw as ``follow`` does for a job just found running; if it has ended meanwhile, redraw the page."""
    _tick(seconds, lambda: seconds if is_running() else None, draw, *args, **kwargs)


def _tick(
    planned: float | None,
    pace: Callable[[], float | None],
    draw: Callable[P, object],
    *args: P.args,
    **kwargs: P.kwargs,
) -> None:
    @wraps(draw)  # Streamlit identifies fragments by their function's name and their position on the page
    def tick() -> None:
        if pace() != planned:
            st.rerun()
        draw(*args, **kwargs)

    st.fragment(tick, run_every=planned)()
