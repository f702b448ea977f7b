"""A button that has the browser tell when a training ends: by a notification while the page is hidden, and a sound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from cnnlab.jobs.job import Job
from cnnlab.runs.summary import About, title_of
from cnnlab.training.titles import in_form_words
from cnnlab.ui.widgets.component_files import joined

_component = st.components.v2.component(
    "cnnlab_end_notice",
    html='<div class="end-notice"><button type="button" aria-pressed="false" hidden></button></div>',
    css=joined("end_notice.css"),
    js=joined("kept.js", "end_notice.js"),
)


def end_notice(jobs: Sequence[Job]) -> None:
    """Show the button while any of the trainings runs; the browser tells once of each that ends meanwhile."""
    _component(data={"trainings": [_told(job) for job in jobs]}, key="end-notice")


def _told(job: Job) -> dict[str, Any]:
    """Describe a training for the browser, which shows texts as they are."""
    return {
        "id": job.run.id,
        "running": job.is_running,
        "head": {"finished": "Training finished", "failed": "Training failed"}.get(job.state, ""),
        "text": "\n".join(filter(None, (title_of(job.config, job.summary, About()), _result(job)))),
    }


def _result(job: Job) -> str:
    accuracy = job.summary.test_accuracy
    return in_form_words(job.error) if job.state == "failed" or accuracy is None else f"Test accuracy {accuracy:.1%}"
