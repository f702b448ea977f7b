"""A network from elsewhere: a file and the data set that it is judged on become a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from cnnlab.data.datasets import DATASETS, offered
from cnnlab.errors import CnnLabError
from cnnlab.training.config import RunConfig
from cnnlab.ui.compare.run_table import tick_only
from cnnlab.ui.shell import session
from cnnlab.ui.shell.flash import say

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from cnnlab.importing.bringing import Brought

MAX_UPLOAD = 200  # MB in memory, three times while it is taken in


def bring_in(place: str) -> None:
    """Offer to make a run of an ONNX file, or of a design with its weights; the result is said at ``place``."""
    files = st.file_uploader(
        "A network file (.onnx, or a design's .json with its .safetensors)",
        ["onnx", "json", "safetensors"],
        accept_multiple_files=True,
        key="compare.bring",
        max_upload_size=MAX_UPLOAD,
    )
    dataset = st.selectbox(
        "Data set (its images and classes)",
        offered(RunConfig().dataset),
        format_func=lambda name: DATASETS[name].title,
        key="compare.bring.dataset",
        persist_state="session",
    )
    new_head = st.toggle(
        "New last layer",
        key="compare.bring.head",
        persist_state="session",
        help="For a network with other classes, such as a published one. Its last layer is replaced by an untrained "
        "one for these classes. Train that layer in a branch.",
    )
    side = _side() if new_head else None
    if st.button("Import network", disabled=not files, key="compare.bring.go") and files:
        with st.spinner("Reading its layers, comparing its answers, testing it on the data set …"):
            _make(files, dataset, place, new_head, side)
        st.rerun()


def _side() -> int | None:
    """Show the side that images are resized to; None where it is the file's or the data set's own."""
    return st.number_input(
        "Image side, px",
        32,
        512,
        None,
        32,
        key="compare.bring.side",
        placeholder="as in the file",
        persist_state="session",
        help="Only needed if the file takes images of any size.",
    )


def _make(files: Sequence[UploadedFile], dataset: str, place: str, new_head: bool, side: int | None) -> None:
    """Make the run and say what it is, or why it cannot be one."""
    from cnnlab.importing.bringing import Source, bring  # noqa: PLC0415 - onnx, which no other page needs at first

    weights = [file for file in files if file.name.endswith(".safetensors") and len(files) > 1]
    first = next((file for file in files if file not in weights), files[0])
    if len(files) > 2 or len(weights) != len(files) - 1:
        say(place, "Choose one ONNX file, or a design's JSON and the .safetensors with its weights.", "error")
        return
    try:
        source = Source(first.name, first.getvalue(), weights[0].getvalue() if weights else None)
        brought = bring(source, dataset, session.store(), new_head=new_head, side=side)
    except CnnLabError as error:
        say(place, str(error), "error")
    else:
        tick_only([brought.run.id])
        say(place, _result(brought), "success")


def _result(brought: Brought) -> str:
    """Say what a file became, and what is next."""
    run, head = brought.run, brought.taken.new_head
    if head:
        return f"Imported: {run.title}. Its last layer is untrained: branch off and train only {head}."
    return f"Imported: {run.title}. It gets {run.summary.test_accuracy or 0.0:.1%} of the test images right."
