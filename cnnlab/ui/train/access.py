"""Who and what else may ask a run's network: visitors, on a page of its own, and programs, with a key."""

from __future__ import annotations

import streamlit as st

from cnnlab.people.rights import Action
from cnnlab.runs.run import Run, RunError
from cnnlab.serve.api import MOST_BYTES, OF_KEY, PATH
from cnnlab.ui.shell import api, frame, person, run_changes
from cnnlab.ui.shell.address import VISIT, server_url
from cnnlab.ui.shell.state import API_KEY

_PAGE = "Train"


def visitors(run: Run) -> None:
    """Show the button that opens the run to visitors or closes it, and its link; nothing on a server without any."""
    if not (person.may_have_visitors() and person.may(Action.SHARE, run)):
        return
    with st.popover("Visitors", icon=":material/public:", key="visitors"):
        if run.is_open:
            st.caption("Anybody with this link can ask this network, without logging in. They see nothing else.")
            st.code(f"{server_url(_PAGE)}/?{VISIT.name}={run.id}", language=None, wrap_lines=True)
            label, icon = "Close to visitors", ":material/public_off:"
        else:
            st.caption("Opens a page on which anybody with its link can ask this network. They see nothing else.")
            label, icon = "Open to visitors", ":material/public:"
        st.button(label, icon=icon, on_click=_open_up, args=[run, not run.is_open], key="open")


def programs(run: Run) -> None:
    """Show how a program asks the run's network, and the buttons that make a key or revoke it; nothing without."""
    if not (api.is_served() and person.may(Action.PREDICT, run)):
        return
    holder = person.as_holder()
    has_key = person.api_keys().has(holder.id)
    with st.popover("API", icon=":material/api:", key="api"):
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


def _open_up(run: Run, is_open: bool) -> None:
    try:
        run_changes.open_up(run, is_open)
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
    st.toast(frame.literal(str(error)), icon=":material/error:")
