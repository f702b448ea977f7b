"""Actions on a run that has ended: resume it, train it for more epochs, branch off one of its epochs."""

from __future__ import annotations

import streamlit as st

from cnnlab.errors import CnnLabError
from cnnlab.people.rights import Action
from cnnlab.runs.machines import unlike_here
from cnnlab.runs.run import Run
from cnnlab.ui.shell import frame, person, quotas, session
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.shell.state import BRANCH_OPEN, branch_epoch
from cnnlab.ui.train.access import share
from cnnlab.ui.widgets import run_form as form
from cnnlab.ui.widgets.bounds import between, is_within
from cnnlab.ui.widgets.quota_room import tell_quota
from cnnlab.ui.widgets.take_away import take_away

MORE_EPOCHS = 10
LOWEST_RATE, HIGHEST_RATE = 1e-6, 10.0


def run_actions(run: Run) -> None:
    """Show the buttons below the run's result."""
    summary, epochs, may_continue = run.summary, run.epochs(), person.may(Action.CONTINUE, run)
    can_resume = may_continue and summary.status in ("interrupted", "stopped", "failed")
    other = unlike_here(run.config, summary)
    with st.container(horizontal=True, gap="xsmall"):  # in one row also with Resume
        if can_resume:
            _offer_resume(run, other)
        if max(epochs, default=0):
            if may_continue:
                with st.popover("Train for more epochs", icon=":material/more_time:"):
                    _tell_machine(other)
                    _train_on(run)
            with st.popover("Branch", icon=":material/alt_route:", key=BRANCH_OPEN.name, on_change="rerun"):
                _branch(run, epochs)
            with st.popover("Export", icon=":material/output:"):
                take_away(run)
        share(run)
    if can_resume:
        _tell_machine(other)


def _offer_resume(run: Run, other: str) -> None:
    """Show the button that continues the run, which ``other`` machines do with other numbers."""
    same = "" if other else " The result is the same as without the stop."
    if st.button(
        "Resume",
        icon=":material/resume:",
        key="resume",
        help=f"Continues after its last complete epoch.{same}",
    ):
        _resume(run)


def _tell_machine(other: str) -> None:
    """Say that a run from another kind of machine goes on with other numbers."""
    if other:
        st.caption(
            ":material/developer_board: This run was trained on another kind of machine. It can continue here, but its "
            f"numbers will differ ({frame.literal(other)})."
        )


def _train_on(run: Run) -> None:
    epochs = st.number_input("More epochs", value=MORE_EPOCHS, key="more.epochs")
    is_right = is_within(epochs, between(1, 1000))
    tenth = max(run.config.learning_rate / 10, LOWEST_RATE)
    rate = st.number_input("Learning rate", value=tenth, step=0.0001, format="%.4g", key=f"more.rate.{run.id}")
    is_right &= is_within(rate, between(LOWEST_RATE, HIGHEST_RATE))
    st.caption("The rate falls to zero over these epochs. Then the run is tested again.")
    if is_right:
        tell_quota(lambda: quotas.needs_further(run, epochs))
    if st.button("Train for more epochs", key="more.go", disabled=not is_right):
        _resume(run, epochs, rate)


def _resume(run: Run, epochs: int = 0, learning_rate: float | None = None) -> None:
    try:
        session.resume(run, epochs, learning_rate)
    except CnnLabError as error:
        st.error(as_reason(error))
    else:
        st.rerun()


def _branch(run: Run, epochs: list[int]) -> None:
    if len(epochs) > 1:  # a network from elsewhere has one
        st.select_slider("From its weights after epoch", epochs, epochs[-1], key=branch_epoch(run.id).name)
    st.caption(
        "Creates a new run. The form takes this run's settings. Change what you like, including the filters it "
        "keeps, then press Train."
    )
    if st.button("Branch off", on_click=_branch_off, args=[run], key="branch.go"):
        st.rerun()  # the form is outside the fragment that this button reruns


def _branch_off(run: Run) -> None:
    chosen = branch_epoch(run.id)
    form.branch_off(run, chosen.get() if chosen.is_set else run.epochs()[-1])
    BRANCH_OPEN.put(False)  # the form is shown next
