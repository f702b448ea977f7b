"""The menu of all pages in groups, and below it the session's run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from cnnlab.errors import CnnLabError
from cnnlab.jobs.job import Job
from cnnlab.runs.run import Run
from cnnlab.ui.shell import person, session
from cnnlab.ui.shell.literal import literal

PAGES = {  # their scripts and icons
    "Home": ("app.py", ":material/home:"),
    "Learn": ("pages/Learn.py", ":material/school:"),
    "Data": ("pages/Data.py", ":material/photo_library:"),
    "Design": ("pages/Design.py", ":material/architecture:"),
    "Train": ("pages/Train.py", ":material/model_training:"),
    "Sweep": ("pages/Sweep.py", ":material/travel_explore:"),
    "Inside": ("pages/Inside.py", ":material/visibility:"),
    "Evaluate": ("pages/Evaluate.py", ":material/fact_check:"),
    "Draw": ("pages/Draw.py", ":material/draw:"),
    "Compare": ("pages/Compare.py", ":material/compare_arrows:"),
    "Class": ("pages/Class.py", ":material/groups:"),
}

_GROUPS = {
    "Learn": ("Home", "Learn"),
    "Build": ("Data", "Design", "Train", "Sweep"),
    "Understand": ("Inside", "Evaluate", "Draw", "Compare"),
}
_WITH_CLASS = {**_GROUPS, "Together": ("Class",)}
_LOGO = (Path(__file__).parent / "logo.svg").read_text(encoding="utf-8")


def menu(name: str, query: Mapping[str, str] | None) -> None:
    """Show the menu in the sidebar of the page ``name``, with the parameters ``query`` in its links."""
    st.logo(_LOGO, size="large")
    with st.sidebar:
        for group, pages in (_WITH_CLASS if person.is_member() else _GROUPS).items():
            st.caption(group)
            with st.container(gap="xsmall"):
                for label in pages:
                    script, icon = PAGES[label]
                    st.page_link(script, label=label, icon=icon, query_params=query, width="stretch")
        job = session.running_job()
        if job and name != "Train":  # which shows more
            st.fragment(_badge, run_every=2.0)(job)
        elif run := session.current_run():
            _card(run)


def _card(run: Run) -> None:
    """Show which run the pages are about, and its score; nothing where it cannot be read: its page says why."""
    try:
        title, accuracy = run.title, run.summary.test_accuracy
    except CnnLabError:
        return
    with st.container(border=True, gap="xxsmall"):
        st.caption("Current run")
        st.markdown(f":small[{literal(title)}]")
        if accuracy is not None:
            st.markdown(f":small[**{accuracy:.1%}** test accuracy]")


def _badge(job: Job) -> None:
    if job.is_running:
        st.badge(f"training, {job.progress:.0%}", icon=":material/autorenew:", color="orange")
    else:
        st.badge(f"training {job.state}", icon=":material/check:", color="green" if job.state == "finished" else "gray")
