"""Sweep: let the computer try settings."""

import streamlit as st

from cnnlab.ui.shell import frame
from cnnlab.ui.shell.quotas import sweep_needs
from cnnlab.ui.sweep.form import sweep_form
from cnnlab.ui.sweep.watch import is_busy, start, watch_sweeps
from cnnlab.ui.widgets import run_form_link as link
from cnnlab.ui.widgets.quota_room import exceeds

frame.page("Sweep", "Let the computer try settings: many short trainings. Each is an ordinary run in Compare.")

live, form = st.columns([5, 2], gap="large")
with form:
    top = st.container()  # near what it starts: the form is long
    asked = sweep_form(top)
    busy = is_busy()
    may_start = asked is not None and not busy and not exceeds(lambda: sweep_needs(asked))
with top:
    is_clicked = st.button(
        "Start sweep", type="primary", icon=":material/play_arrow:", disabled=not may_start, width="stretch"
    )
    if is_clicked and asked and start(asked):
        link.forget()
        st.rerun()
    if busy:
        st.caption("A sweep is running on this server. Only one can run at a time.")
with live:
    watch_sweeps(may_start)
