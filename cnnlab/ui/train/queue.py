"""The session's other trainings: each with its place in the queue, a button to see it, and one to remove it."""

from __future__ import annotations

import streamlit as st

from cnnlab.jobs.job import Job
from cnnlab.runs.summary import About, title_of
from cnnlab.ui.shell import frame, poll, session
from cnnlab.ui.widgets.job_progress import progress_text

UPDATE_SECONDS = 2.0


def queue() -> None:
    """List the session's trainings that run or wait, but the one on the page; nothing where there is none."""
    if count := len(_others()):
        poll.until_over(lambda: len(_others()) == count, UPDATE_SECONDS, _list)


def _others() -> list[Job]:
    shown = session.current_run_id()
    return [job for job in session.trainings() if job.run.id != shown]


def _list() -> None:
    st.markdown("**Your other trainings**")
    for job in _others():
        with st.container(border=True, gap="xxsmall"):
            title = title_of(job.config, job.summary, About())  # the user's title would be read from disk
            st.markdown(f":small[{frame.literal(title)}]  \n:gray[:small[{progress_text(job)}]]")
            with st.container(horizontal=True, gap="small"):
                if st.button("Show", key=f"queue.show.{job.run.id}", type="tertiary", icon=":material/monitoring:"):
                    frame.go_to("Train", job.run.id)
                if not job.steps:
                    st.button(
                        "Remove",
                        key=f"queue.remove.{job.run.id}",
                        type="tertiary",
                        icon=":material/close:",
                        on_click=session.remove,
                        args=[job],
                    )
