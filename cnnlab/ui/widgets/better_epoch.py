"""Where a training was stopped after its best epoch: which one that was, and ways to use it."""

from __future__ import annotations

import streamlit as st

from cnnlab.runs.run import Run
from cnnlab.runs.summary import Summary
from cnnlab.training.history import History
from cnnlab.ui.shell.frame import go_to
from cnnlab.ui.shell.literal import literal
from cnnlab.ui.shell.state import BRANCH_OPEN, branch_epoch, epoch_of, follows


def better_epoch(run: Run, summary: Summary, history: History, name: str = "") -> None:
    """Name a better epoch on the validation images of a training that did not finish; nothing where there is none."""
    best = history.better_epoch(summary.epoch)
    if summary.status == "finished" or best is None or best not in run.epochs():
        return
    of = f"{literal(name)}: epoch" if name else "Epoch"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{of} {best} was better on validation.", width="content")
        if st.button("Look inside", key=f"better.inside.{run.id}", type="tertiary", icon=":material/visibility:"):
            follows(run.id).put(False)
            epoch_of(run.id).put(best)
            go_to("Inside", run.id)
        if st.button("Branch off there", key=f"better.branch.{run.id}", type="tertiary", icon=":material/alt_route:"):
            branch_epoch(run.id).put(best)
            BRANCH_OPEN.put(True)
            go_to("Train", run.id)
