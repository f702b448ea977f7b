"""Runs for other tools: TensorBoard and MLflow."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import streamlit as st

from cnnlab.export.metrics import InteropError, available
from cnnlab.export.mlflow import to_mlflow
from cnnlab.export.tensorboard import to_tensorboard
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import runs_folder
from cnnlab.text import without_password
from cnnlab.ui.shell.flash import say
from cnnlab.ui.shell.frame import counted


def send(place: str, runs: Sequence[Run]) -> None:
    """Offer exports to other tools, where their packages are installed; the result is said at ``place``."""
    there = available()
    if not any(there.values()):
        st.caption("Install the package tensorboard or mlflow to export runs to these tools.")
    folder = runs_folder() / ".tensorboard"
    if there["tensorboard"]:
        st.caption(f"TensorBoard: `tensorboard --logdir {folder}` shows the files.")
        st.button(
            "Write for TensorBoard",
            on_click=_export,
            args=[place, runs, lambda run: to_tensorboard(run, folder), f"written to {folder}"],
        )
    if there["mlflow"]:
        tracking = without_password(os.environ.get("MLFLOW_TRACKING_URI", ""))
        st.caption(f"MLflow: {tracking or 'set MLFLOW_TRACKING_URI to your tracking server, then start the app'}.")
        if tracking:
            st.caption("Each run is sent there when it ends.")
        st.button(
            "Send to MLflow", on_click=_export, args=[place, runs, to_mlflow, "sent to MLflow"], disabled=not tracking
        )


def _export(place: str, runs: Sequence[Run], export: Callable[[Run], object], done: str) -> None:
    try:
        for run in runs:
            export(run)
        say(place, f"{counted(len(runs), 'run')} {done}.", "success")
    except (InteropError, RunError) as error:
        say(place, str(error), "error")
