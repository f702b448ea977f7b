"""Whether the change that a run tries has helped the run it was made for, by a paired test."""

from __future__ import annotations

import streamlit as st

from cnnlab.diagnosis.trial import Verdict, judged
from cnnlab.quantities import p_value, percent
from cnnlab.runs.run import Run
from cnnlab.ui.shell import frame, session
from cnnlab.ui.train.run_view import RunView


def verdict(view: RunView) -> None:
    """Say which run's remedy this run tries, and once both have ended whether it helped; nothing for other runs."""
    trial = view.run.about.trial
    if not trial:
        return
    change = frame.literal(trial.change[:1].lower() + trial.change[1:])
    original = session.find_run(trial.run)
    if not original:
        st.caption(f":material/experiment: Tries a change ({change}) for a run that is no longer here.")
        return
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":blue-badge[:material/experiment: Trial] {change[:1].upper()}{change[1:]}.", width="content")
            if st.button("The run before", key="verdict.before", type="tertiary", icon=":material/undo:"):
                frame.go_to("Train", original.id)
        if view.is_running or original.summary.status == "running":
            st.caption("Once both trainings have ended, a paired test on the validation images says whether it helped.")
        elif max(view.run.epochs(), default=0) and original.epochs():
            _tell(
                _judged(
                    f"{original.id}.{original.judged_epoch}",
                    f"{view.run.id}.{view.run.judged_epoch}",
                    original,
                    view.run,
                )
            )


def _tell(found: Verdict) -> None:
    badge = ":gray-badge[:material/drag_handle: No evidence that it helped]"
    if found.helped:
        badge = ":green-badge[:material/check: It helped]"
    elif found.harmed:
        badge = ":orange-badge[:material/trending_down: It did harm]"
    st.markdown(
        f"{badge} {percent(found.before)} of {found.images:,} validation images were right before, "
        f"{percent(found.after)} now (McNemar: p {p_value(found.p)})."
    )


@st.cache_data(max_entries=64, show_spinner="Comparing both on the validation images")
def _judged(before: str, after: str, _before: Run, _after: Run) -> Verdict:
    return judged(_before, _after)
