"""The frame of every page: settings, menu, the running job's badge, the title."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab.data.datasets import DATASETS
from cnnlab.data.table import DIGITS
from cnnlab.errors import CnnLabError
from cnnlab.ui.shell import session, startup
from cnnlab.ui.shell.address import RUN
from cnnlab.ui.shell.entrance import let_in, way_out
from cnnlab.ui.shell.flash import LINK, tell
from cnnlab.ui.shell.literal import literal as literal  # noqa: PLC0414 - pages know it as frame.literal
from cnnlab.ui.shell.menu import PAGES, menu
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.shell.state import Key, note_visit

_WAY = {"Data": "Data", "Train": "Train", "Try": "Draw", "Why": "Inside"}  # from pictures to reasons, and their pages
_ALSO_WHY = ("Evaluate",)


def page(name: str, subtitle: str, title: str = "", beside: int | Literal["stretch"] = "stretch") -> DeltaGenerator:
    """Draw the frame of the page ``name``, one of the menu's; its title is its name unless given.

    Return the place beside the title, for what the whole page is about; where it is wider than the screen has room for,
    as ``beside`` pixels are on a phone, it stands below.
    """
    st.set_page_config(page_title=f"{name} · CNN Lab", page_icon="🔬", layout="wide")
    let_in(name)
    startup.get_ready()
    note_visit(name)
    query = _own_run() or None
    menu(name, query)
    with st.sidebar:
        way_out()
    if name in (*_WAY.values(), *_ALSO_WHY):
        _way(name, query)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.title(title or name, help=subtitle, anchor=False, width="content")
        place = st.container(width=beside)
    tell(LINK)
    return place


def _way(name: str, query: Mapping[str, str] | None) -> None:
    """Show the way from pictures to reasons as links: each step its page; that of the page ``name`` is marked."""
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        for number, (step, target) in enumerate(_WAY.items()):
            if number:
                st.markdown(":gray[›]", width="content")
            script, _ = PAGES[name if target == _WAY["Why"] and name in _ALSO_WHY else target]
            st.page_link(script, label=step, query_params=query)


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show an error in place of the part of the page that raised it, such as a damaged run."""
    try:
        yield
    except CnnLabError as error:
        st.error(as_reason(error), title="Something went wrong")


def link(page: str, label: str) -> None:
    """Show a link to another page with the run in its URL."""
    script, icon = PAGES[page]
    st.page_link(script, label=label, icon=icon, query_params=_own_run() or None)


def link_to_draw(dataset: str, classes: Sequence[str]) -> None:
    """Show a link to Draw that says what the networks of a data set, which may be gone, are asked there."""
    spec, of_digits = DATASETS.get(dataset), tuple(classes) == DIGITS
    is_drawn = spec.is_drawn if spec else of_digits
    label = "Draw a digit" if of_digits else "Draw a character"
    link("Draw", label if is_drawn else "Try a picture")


def _own_run() -> dict[str, str]:
    """Return the URL parameters of the session's run."""
    run_id = session.current_run_id()
    return {RUN.name: run_id} if run_id else {}


def door(page: str, label: str, query: Mapping[str, str], icon: str = "") -> None:
    """Show a link to a page with the URL parameters ``query``; with the page's icon unless given."""
    script, own_icon = PAGES[page]
    st.page_link(script, label=label, icon=icon or own_icon, query_params={**_own_run(), **query})


def go_to(page: str, run_id: str | None = None) -> None:
    """Switch to another page with the run's id in its URL, by default the session's own."""
    run_id = run_id or session.current_run_id()
    st.switch_page(PAGES[page][0], query_params={RUN.name: run_id} if run_id else None)


def distinct_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Make labels for ids, newest first, distinct by adding the end of the id to repeated ones.

    Streamlit identifies choices by their labels: of two equal ones it takes the first.
    """
    apart: dict[str, str] = {}
    taken: set[str] = set()
    for key in reversed(list(labels)):
        apart[key] = f"{labels[key]} ({key[-6:]})" if labels[key] in taken else labels[key]
        taken.add(apart[key])
    return apart


def place_of(shown: Key[str], what: str) -> DeltaGenerator:
    """Return a container for ``what``: a new one where something else was shown, else the same, to avoid flicker."""
    is_new = shown.get() != what
    shown.put(what)
    return st.empty().container() if is_new else st.container()


def counted(number: int, noun: str) -> str:
    """Format a number and its noun: one run, 1,200 runs."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def with_article(digit: int) -> str:
    """Write a digit with its article: a 1, an 8."""
    return f"{'an' if digit == 8 else 'a'} {digit}"


def warn_of_missing_data() -> None:
    """Show a warning where the pictures of the session's own run are gone or others than it was trained on."""
    if missing := session.missing_data():
        st.warning(
            f"{literal(missing)}. You can restore removed data sets on Data.", icon=":material/image_not_supported:"
        )


def no_runs_yet() -> None:
    """Show what to do next where nothing has been trained yet."""
    st.info(
        "No network has been trained yet. Train one first.",
        icon=":material/potted_plant:",
    )
    link("Train", "Train a network")
