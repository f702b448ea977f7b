"""What ails the run on the page: its name, the evidence, and one change that a click tries."""

from __future__ import annotations

import streamlit as st

from cnnlab.diagnosis.examination import Watch
from cnnlab.diagnosis.finding import Finding
from cnnlab.diagnosis.trial import changed
from cnnlab.errors import CnnLabError
from cnnlab.people.rights import Action
from cnnlab.runs.run import Run
from cnnlab.runs.summary import Trial
from cnnlab.ui.shell import classroom, frame, person, poll, run_changes, session
from cnnlab.ui.shell.networks import KEPT
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.train.run_view import RunView

UPDATE_SECONDS = 0.5


def diagnosis(view: RunView) -> None:
    """Name the likeliest fault of a run, and offer to try its remedy; nothing where none was found."""
    if view.came_from_elsewhere:
        return
    watch = watch_of(str(view.run.folder), view.run)
    watch.look(view.history, view.summary.error)
    if watch.findings:
        _tell(view, watch.findings)
    if watch.is_looking and not view.is_running:
        poll.until_over(lambda: watch.is_looking, UPDATE_SECONDS, lambda: None)


def _tell(view: RunView, findings: list[Finding]) -> None:
    first, *others = findings
    with st.container(border=True):
        st.markdown(f":orange-badge[:material/stethoscope: {_title(first)}] {frame.literal(first.evidence)}")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{frame.literal(first.change.says)}.**", width="content")
            if _may_try(view, first) and st.button(
                "Try this",
                icon=":material/experiment:",
                key=f"diagnosis.try.{first.name}",
                help="Trains with this one change, then compares both on the validation images.",
            ):
                _try(view, first)
        if others:
            st.caption(f"Also: {', '.join(map(_title, others)).lower()}.")


def _title(finding: Finding) -> str:
    return finding.name.replace("-", " ").capitalize()


def _may_try(view: RunView, finding: Finding) -> bool:
    """Whether there is something to train, the run is one's to branch off, and an assignment leaves it free."""
    change, assignment = finding.change, classroom.trained_for()
    is_fixed = assignment is not None and any(field in assignment.fixed for field in change.fields)
    return bool(change.fields or change.epoch) and not is_fixed and person.may(Action.BRANCH, view.run)


def _try(view: RunView, finding: Finding) -> None:
    """Train the change: after the run where that still trains, else at once, as the session's run."""
    try:
        config = changed(view.run.id, view.config, finding.change)
        job = session.add(config) if view.is_running else session.start(config)
        trial = Trial(run=view.run.id, fault=finding.name, change=finding.change.says)
        run_changes.describe(job.run, trial=trial)
    except CnnLabError as error:
        st.error(as_reason(error))
    else:
        st.rerun()  # the queue and the run are outside the fragment that this button reruns


@st.cache_resource(max_entries=KEPT, show_spinner=False, on_release=Watch.cancel)
def watch_of(folder: str, _run: Run) -> Watch:
    """Return the server's watch over the run in ``folder``."""
    return Watch(_run)
