"""Parts of a page that are drawn again and again while something is at work, and the page once when it is over.

What ticks without an end of its own, as a clock does, is a plain ``st.fragment``.
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
    """Draw a part of the page every ``seconds`` while ``is_running()``; draw the whole page whenever that changes."""
    paced(lambda: seconds if is_running() else None, draw, *args, **kwargs)


def paced(pace: Callable[[], float | None], draw: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Draw a part of the page every ``pace()`` seconds, once where that is None; the whole page when that changes."""
    _tick(pace(), pace, draw, *args, **kwargs)


def until_over(
    is_running: Callable[[], bool], seconds: float, draw: Callable[P, object], *args: P.args, **kwargs: P.kwargs
) -> None:
    """Draw as ``follow``, for what the page has just found running: where that is over by now, draw the page again."""
    _tick(seconds, lambda: seconds if is_running() else None, draw, *args, **kwargs)


def _tick(
    planned: float | None,
    pace: Callable[[], float | None],
    draw: Callable[P, object],
    *args: P.args,
    **kwargs: P.kwargs,
) -> None:
    @wraps(draw)  # Streamlit tells fragments apart by their function's name and their place on the page
    def tick() -> None:
        if pace() != planned:
            st.rerun()
        draw(*args, **kwargs)

    st.fragment(tick, run_every=planned)()
