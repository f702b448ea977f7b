"""What a server does once, at its first page."""

from __future__ import annotations

import gc

import streamlit as st
from streamlit import runtime

from cnnlab.export.mirror import listen, mirror
from cnnlab.files import clear_aside
from cnnlab.runs.example import add_example
from cnnlab.runs.store import runs_folder
from cnnlab.threads import WorkerThread, exit_code_is, expect_many_people, share_interpreter
from cnnlab.ui.shell import catalogue, page_imports, person


@st.cache_resource(show_spinner=False)
def get_ready() -> None:
    """Prepare the server once, at its first page: clear what killed processes left, add the example, make garbage
    collections and threads' turns short; in the background read the runs, send what MLflow did not get and import what
    other pages need.
    """
    exit_code_is(0)  # Streamlit's exit code, however it ends
    gc.collect()
    gc.freeze()  # a full collection would take 0.2 s to walk through everything imported so far
    share_interpreter()
    if person.is_class():
        expect_many_people()
    clear_aside(runs_folder())
    add_example(runs_folder())
    listen()
    mirror.send_waiting(runs_folder())
    WorkerThread(catalogue.entries, end=lambda: None, is_left=True).start()
    if runtime.exists():  # tests open pages without a server
        page_imports.begin()
