"""A network's files for other places: chosen, written in the background, compared, downloaded."""

from __future__ import annotations

import re

import pandas as pd
import streamlit as st

from cnnlab.export.formats.exporting import Exported, Row, Step, exported
from cnnlab.export.formats.table import EXPORTS
from cnnlab.jobs.worker import Worker
from cnnlab.quantities import duration, percent, size
from cnnlab.runs.run import Run
from cnnlab.text import sentence
from cnnlab.ui.shell.frame import counted
from cnnlab.ui.shell.literal import literal
from cnnlab.ui.shell.state import formats_chosen, formats_made
from cnnlab.ui.widgets.awaited import awaited, begun


def take_away(run: Run) -> None:
    """Show the choice of formats; what was written, how it answers, and the downloads."""
    chosen = st.pills(
        "Formats",
        list(EXPORTS),
        selection_mode="multi",
        format_func=lambda suffix: EXPORTS[suffix].title,
        key=formats_chosen(run.id).name,
    )
    st.button(
        "Create",
        type="primary",
        icon=":material/output:",
        key=f"export.make.{run.id}",
        on_click=_make,
        args=[run.id],
        disabled=not chosen,
    )
    if making := formats_made(run.id).get():
        _show_made(run, making)
    for suffix in chosen:
        st.caption(f"**{EXPORTS[suffix].title}** (.{suffix}): {EXPORTS[suffix].use}.")
    st.caption(
        "Each file contains pixel scaling, class names and softmax. The app checks each file on test images and "
        "rejects it if its answers differ."
    )


def _show_made(run: Run, making: tuple[str, ...]) -> None:
    """Show how far the files are; then how they answer, and the downloads."""
    step = awaited(f"Creating {counted(len(making), 'file')}", _made, run.id, making, run)
    if step and step.here:
        _comparison(step.here, step.files)
        for file in step.files:
            _download(run, file)


def _make(run_id: str) -> None:
    formats_made(run_id).put(tuple(formats_chosen(run_id).get()))


def _comparison(here: Row, files: tuple[Exported, ...]) -> None:
    rows = [here, *(file.row for file in files if file.row)]
    if len(rows) == 1:  # the others open elsewhere, and check themselves
        return
    st.dataframe(pd.DataFrame([_told(row) for row in rows]), hide_index=True, width="stretch")
    st.caption(
        f"On {counted(here.images, 'test image')}, with 95% intervals. Same answer: how often the file gives the "
        "app's answer. Time: for one prepared image, on this machine."
    )


def _told(row: Row) -> dict[str, str]:
    low, high = (percent(bound, row.interval) for bound in row.interval)
    return {
        "File": row.title,
        "Size": size(row.bytes),
        "Accuracy": (f"{percent(row.accuracy, row.interval)} ({low} to {high})"),
        "Same answer": percent(row.agreed / row.images),
        "Time": duration(row.milliseconds / 1000),
    }


def _download(run: Run, file: Exported) -> None:
    form = EXPORTS[file.suffix]
    if file.refusal:
        st.warning(literal(sentence(file.refusal)), title=f"No {form.title}")
        return
    st.download_button(
        f"Download {form.title}",
        file.content,
        f"{file_stem(run.title)}.{file.suffix}",
        icon=":material/download:",
        key=f"export.download.{run.id}.{file.suffix}",
        on_click="ignore",
    )


def file_stem(title: str) -> str:
    """Make a file's name of a run's title: letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "network"


@st.cache_resource(max_entries=4, show_spinner=False, on_release=Worker.cancel)
def _made(run_id: str, suffixes: tuple[str, ...], _run: Run) -> Worker[Step]:
    return begun(exported(_run, suffixes))
