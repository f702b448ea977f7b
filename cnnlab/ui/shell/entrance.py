"""The entrance: who is not let in sees how to come in, and nothing else."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import streamlit as st
from streamlit.errors import StreamlitAuthError

from cnnlab.people.allowed import VARIABLE, allowed
from cnnlab.people.members import MAX_NAME
from cnnlab.people.rules import ClassRules, ClassRulesError
from cnnlab.places import command
from cnnlab.runs.example import example_id
from cnnlab.ui.shell import person, run_changes, session
from cnnlab.ui.shell.flash import say, tell
from cnnlab.ui.shell.literal import literal
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.shell.state import API_KEY, JOIN_CODE, JOIN_NAME, LEAVING

_renew_key = st.components.v2.component(
    "cnnlab_leave", js=Path(__file__).with_name("leave.js").read_text(encoding="utf-8")
)

VISITED = ("Inside", "Evaluate", "Draw")  # pages on which visitors see the run of their link that somebody has shown

_LEAVING = {  # what is lost, by the role
    "member": "You cannot come back to your work here: only your teacher can see it then. Visitors' pages of your runs "
    "close, and your key for programs is revoked. What you showed to the class or handed in stays.",
    "teacher": "The work of teachers stays all teachers'. Your key for programs is revoked.",
}

WIDTH = 360  # pixels of the form

_PLACE = "entrance"


def let_in(page: str) -> None:
    """Return for people who may come in to ``page``; show others how to, and stop."""
    if LEAVING.get():
        st.info("You have left.", icon=":material/logout:")
        _renew_key(key="leaving")
        st.stop()
    somebody = person.identify()
    if somebody.role == "visitor" and page in VISITED and session.current_run_id() not in (None, example_id()):
        return
    if somebody.role in ("visitor", "stranger"):
        _show()
        st.stop()
    if somebody.role != "administrator":
        person.note_name(somebody)


def way_out() -> None:
    """Show who the person is, and how to leave; nothing where nobody had to come in."""
    somebody = person.me()
    if somebody.role in ("teacher", "member"):
        role = "Teacher" if somebody.role == "teacher" else "Member of the class"
        st.caption(f"{literal(somebody.name)} · {role}")
    if st.user.get("is_logged_in"):
        _log_out()
    elif somebody.role in ("teacher", "member"):
        with st.popover("Leave", icon=":material/logout:", type="tertiary"):
            st.markdown(
                "**Leave on a shared computer.** After that you are a new person here, even with the same name."
            )
            st.caption(_LEAVING[somebody.role])
            st.button("Leave now", icon=":material/logout:", on_click=_leave, key="leave")


def _show() -> None:
    st.title("CNN Lab")
    try:
        rules = person.class_rules()
    except ClassRulesError as error:
        st.error(f"{as_reason(error)} The administrator must fix it and restart the server.")
        return
    is_logged_in = st.user.get("is_logged_in")
    if is_logged_in:
        st.error(_refusal(rules), icon=":material/block:")
        _log_out()
    has_code = rules is not None and rules.has_code
    if has_code:
        _join()
    if is_logged_in is False:
        st.info("Log in to see the runs on this server.", icon=":material/lock:")
        if st.button("Log in", type="secondary" if has_code else "primary", icon=":material/login:", key="log-in"):
            _log_in()
    elif is_logged_in is None and not has_code:
        st.error(_closed(rules), icon=":material/block:")


def _join() -> None:
    """Show the form to join with a code."""
    if not person.browser_token():
        st.error(
            "This browser has no key of this server. Allow cookies, then reload the page. If that does not help, the "
            f"administrator must start the server with `{command()} app --class`."
        )
        return
    with st.container(width=WIDTH):
        tell(_PLACE)
    with st.form("join", width=WIDTH):
        st.text_input("Class code", key=JOIN_CODE.name, max_chars=200, autocomplete="off")
        st.text_input("Your name", key=JOIN_NAME.name, max_chars=MAX_NAME, autocomplete="name")
        st.form_submit_button("Join", type="primary", icon=":material/login:", on_click=_take_code)
        st.caption("Your teacher sees your name and your work. Others see what you show, and results that you hand in.")
        st.caption(
            "Your work belongs to this browser. In another one, or after Leave, you are a new person, even with the "
            "same name."
        )


def _take_code() -> None:
    if refusal := person.join(JOIN_CODE.take(), JOIN_NAME.get()):
        say(_PLACE, refusal, "error")


def _leave() -> None:
    with suppress(OSError):  # on this page the new key is enough
        run_changes.close_all()  # first: afterwards the person is nobody
        person.leave()
    API_KEY.drop()
    LEAVING.put(True)


def _closed(rules: ClassRules | None) -> str:
    """Explain why nobody can come in, and what the administrator must do."""
    if rules:
        return "This server's class has no code, and the server has no login. Its administrator must set one up."
    if allowed():
        return f"This server has a list of allowed users ({VARIABLE}) but no login. Its administrator must add a login."
    return (
        "This server can be reached from other machines, but it has no class code and no login. Its administrator "
        "must set one up: docs/class.md says how."
    )


def _refusal(rules: ClassRules | None) -> str:
    """Explain why a user who is logged in may not enter, and what to do."""
    if not (allowed() or (rules and (rules.allow or rules.teachers))):
        return (
            f"Nobody has access yet. The administrator must set {VARIABLE} to the allowed e-mail addresses and "
            "domains and restart the server."
        )
    account = literal(str(st.user.get("email") or "This account, which has no e-mail address,"))
    return f"{account} has no access. Log out and use another account, or ask the administrator to add this one."


def _log_in() -> None:
    try:
        st.login()
    except StreamlitAuthError as error:
        st.error(as_reason(error), title="This server's login does not work; its administrator must fix it")


def _log_out() -> None:
    st.button("Log out", icon=":material/logout:", on_click=st.logout, key="log-out")
