"""Fine-tuning a branch of a run on labelled drawings, with what it gained and forgot."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

import streamlit as st

from cnnlab.data.spec import DatasetError
from cnnlab.drawings.strokes import (
    LabelledDrawing,
    write_labelled_drawings,
)
from cnnlab.jobs.finetuning import ASIDE, Change, changes, fine_tuning, set_aside
from cnnlab.jobs.job import Job
from cnnlab.people.rights import Action
from cnnlab.quantities import signed
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.trained import Trained
from cnnlab.training.config import ConfigError
from cnnlab.ui.shell import person, poll, run_changes, session
from cnnlab.ui.shell.frame import counted, literal
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.widgets.job_progress import progress_text

MUCH = 0.01  # share of the test images
UPDATE_SECONDS = 1.0
PATIENCE_SECONDS, POLL_SECONDS = 60.0, 0.05

_TITLES = {"taught": "Drawings trained on", "others": "Your other drawings", "test": "Test images"}


def fine_tune(known: Sequence[LabelledDrawing], run: Run, trained: Trained) -> None:
    """Offer to train a branch of ``run`` on the drawings ``known``, or show the progress."""
    job = session.current_job()
    if job and job.is_running:
        if job.config.lessons:
            poll.until_over(lambda: job.is_running, UPDATE_SECONDS, _watch, job)
        else:
            st.caption("A training of yours still runs. Fine-tune after it ends, or stop it.")
        return
    if job and job.error and job.config.lessons:
        st.error(as_reason(job.error), title="The fine-tuning failed")
    if not known:
        return
    taught, aside = set_aside(known)
    if aside and not st.toggle(
        f"Keep {len(aside)} for testing",
        value=True,
        key="teaching.aside",
        persist_state="session",
        help=f"Leaves every drawing number {ASIDE} of a label out of training. Only these show what it learned.",
    ):
        taught = list(known)
    if st.button(f"Fine-tune on {counted(len(taught), 'drawing')}", type="primary", icon=":material/school:"):
        _start(taught, run, trained.epoch)
    st.caption(
        "A few more seconds of training on your drawings and the run's own training images. It starts from this "
        "run's weights. The result is a new run; this one stays unchanged."
    )


def _start(taught: Sequence[LabelledDrawing], run: Run, epoch: int) -> None:
    try:
        job = session.start(fine_tuning(run, taught, epoch))
    except (ConfigError, DatasetError, RunError) as error:
        st.error(as_reason(error), title="Fine-tuning on these drawings is not possible")
        return
    # Once its initial weights are on disk the run can be viewed, and the page switches to it.
    asked = monotonic()
    with st.spinner("Starting from the weights of this run"):
        while job.is_running and not job.steps and monotonic() - asked < PATIENCE_SECONDS:
            job.join(POLL_SECONDS)
    st.rerun()


def _watch(job: Job) -> None:
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.progress(job.progress, text=progress_text(job))
    if person.may(Action.STOP, job.run):
        right.button(
            "Stop (keeps all epochs)",
            on_click=run_changes.stop,
            args=[job],
            icon=":material/stop_circle:",
            key="teaching.stop",
        )


def show_changes(run: Run, known: Sequence[LabelledDrawing]) -> None:
    """Show what a fine-tuned ``run`` gained and forgot, also on the drawings of ``known`` not used for training."""
    config, summary = run.config, run.summary
    if not (config.parent and config.lessons) or summary.status == "running":
        return
    taught = [_strokes(drawing) for drawing in config.lessons]
    others = [drawing for drawing in known if _strokes(drawing) not in taught]
    try:
        found = _changes(f"{run.id}.{summary.epoch}", write_labelled_drawings(others), run, others)
    except (DatasetError, RunError) as error:
        st.caption(f"The runs before and after cannot be compared: {literal(str(error))}.")
        return
    st.markdown(f"**What it learned and forgot**, compared with epoch {config.parent.epoch} of its parent run")
    with st.container(horizontal=True):
        for kind, change in found.items():
            _metric(kind, change)
    st.caption(
        "Drawings it trained on are no fair test: it may have memorised them. Your other drawings are a fair test. "
        f"The {found['test'].images:,} test images show what it forgot."
    )
    if found["test"].before - found["test"].after > MUCH * found["test"].images:
        st.warning(
            "It forgot a lot. Is a drawing labelled wrong, or unclear even to people? Remove it and fine-tune the "
            "parent run again. More drawings help too."
        )


def _metric(kind: str, change: Change) -> None:
    points = 100 * (change.after - change.before) / change.images
    few = kind != "test"
    st.metric(
        _TITLES[kind],
        f"{change.after} of {change.images}" if few else f"{change.after / change.images:.1%}",
        signed(change.after - change.before, "d") if few else f"{signed(points)} points",
        delta_color=("inverse" if points < 0 else "normal") if points else "off",
        delta_arrow=("down" if points < 0 else "up") if points else "off",
    )


@st.cache_data(max_entries=16, show_spinner="Testing both networks")
def _changes(at: str, others: bytes, _run: Run, _others: Sequence[LabelledDrawing]) -> dict[str, Change]:
    return changes(_run, session.store(), _others)


def _strokes(drawing: LabelledDrawing) -> tuple[object, float]:
    """Return the strokes of a drawing without its label."""
    return drawing.strokes, drawing.pen
