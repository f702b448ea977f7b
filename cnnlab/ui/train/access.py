"""What else may see a run or ask its network: the class, visitors on a page of its own, programs with a key."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from cnnlab.people.rights import Action
from cnnlab.runs.example import example_id
from cnnlab.runs.run import Run, RunError
from cnnlab.serve.api import MOST_BYTES, OF_KEY, PATH
from cnnlab.ui.shell import api, person, run_changes
from cnnlab.ui.shell.address import VISIT, server_url
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.shell.state import API_KEY

_PAGE = "Train"


def share(run: Run) -> None:
    """Show a button with the ways to let others at the run that its person has here; nothing without any."""
    may_share = person.may(Action.SHARE, run)
    ways: dict[str, tuple[bool, Callable[[Run], None]]] = {
        "The class": (may_share and person.is_class() and run.id != example_id(), _with_the_class),
        "Visitors": (may_share and person.may_have_visitors(), _with_visitors),
        "Programs": (person.may(Action.PREDICT, run) and api.is_served(), _with_programs),
    }
    offered = {title: show for title, (is_offered, show) in ways.items() if is_offered}
    if not offered:
        return
    with st.popover("Share", icon=":material/share:", key="access"):
        for title, show in offered.items():
            with st.container(gap="xsmall"):
                st.markdown(f"**{title}**")
                show(run)


def _with_the_class(run: Run) -> None:
    """Show the button that shows the run to the class, or hides it again."""
    also = " Visitors with its link can see it too." if person.may_have_visitors() else ""
    if run.is_shown:
        st.caption(f"Your class sees this run.{also}")
        label, icon = "Hide again", ":material/visibility_off:"
    else:
        st.caption(f"Your class can then see this run with its test pictures, export it and branch off it.{also}")
        label, icon = "Show to the class", ":material/groups:"
    st.button(label, icon=icon, on_click=_change, args=[run_changes.show, run, not run.is_shown], key="share")


def _with_visitors(run: Run) -> None:
    """Show the button that opens the run to visitors or closes it, and its link."""
    if run.is_open:
        st.caption("Anybody with this link can ask this network, without logging in. They see nothing else.")
        st.code(f"{server_url(_PAGE)}/?{VISIT.name}={run.id}", language=None, wrap_lines=True)
        label, icon = "Close to visitors", ":material/public_off:"
    else:
        st.caption("Opens a page on which anybody with its link can ask this network. They see nothing else.")
        label, icon = "Open to visitors", ":material/public:"
    st.button(label, icon=icon, on_click=_change, args=[run_changes.open_up, run, not run.is_open], key="open")


def _with_programs(run: Run) -> None:
    """Show how a program asks the run's network, and the buttons that make a key or revoke it."""
    has_key = person.api_keys().has(person.as_holder().id)
    st.caption(
        f"A program sends a picture of at most {MOST_BYTES // 1000} kB and gets each class's probability as JSON, "
        f"up to {OF_KEY} times a minute. One key is for all runs that you may ask."
    )
    new = API_KEY.get() if has_key else ""
    st.code(_curl(run, new or "YOUR_KEY"), language="sh", wrap_lines=True)
    if new:
        st.caption(":material/warning: Copy your key now. The server keeps only a hash and cannot show it again.")
    with st.container(horizontal=True):
        label = "Make a new key" if has_key else "Make a key"
        told = "The old key stops working." if has_key else None
        st.button(label, icon=":material/key:", on_click=_make, key="api.make", help=told)
        if has_key:
            st.button("Revoke", icon=":material/key_off:", on_click=_revoke, key="api.revoke")


def _curl(run: Run, key: str) -> str:
    return (
        f"curl -H 'Authorization: Bearer {key}' -H 'Content-Type: image/png' --data-binary @picture.png "
        f"'{server_url(_PAGE)}{PATH}?run={run.id}'"
    )


def _change(change: Callable[[Run, bool], None], run: Run, is_on: bool) -> None:
    try:
        change(run, is_on)
    except RunError as error:
        _tell(error)


def _make() -> None:
    try:
        API_KEY.put(person.api_keys().make(person.as_holder()))
    except OSError as error:
        _tell(error)


def _revoke() -> None:
    try:
        person.api_keys().revoke(person.as_holder().id)
        API_KEY.drop()
    except OSError as error:
        _tell(error)


def _tell(error: Exception) -> None:
    st.toast(as_reason(error), icon=":material/error:")
