"""Teach: label drawings, collect them, fine-tune a branch of the run on them, and see what it learned and forgot."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from hashlib import blake2s
from time import monotonic

import streamlit as st
import torch
from torch import Tensor

from cnnlab.charts.png import inline
from cnnlab.data.datasets import DatasetError
from cnnlab.drawings.preprocess import prepare, stroke_ink
from cnnlab.drawings.strokes import (
    Drawing,
    DrawingError,
    LabelledDrawing,
    read_labelled_drawings,
    rounded,
    write_labelled_drawings,
)
from cnnlab.jobs.finetuning import ASIDE, Change, changes, fine_tuning, set_aside
from cnnlab.jobs.job import Job
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.trained import Trained
from cnnlab.training.config import MAX_LESSONS, ConfigError
from cnnlab.ui.shell import poll, session
from cnnlab.ui.shell.flash import say, tell
from cnnlab.ui.shell.frame import counted, literal
from cnnlab.ui.shell.state import DRAWINGS, DRAWINGS_BEFORE, DRAWINGS_CHANGED, DRAWINGS_FILE, Key, label_of
from cnnlab.ui.widgets.images import enlarged
from cnnlab.ui.widgets.job_progress import progress_text

MAX_UPLOAD = 10  # MB, of drawings to import
SHOWN = 24  # drawings on a page of the gallery
MUCH = 0.01  # share of the test images
UPDATE_SECONDS = 1.0
PATIENCE_SECONDS, POLL_SECONDS = 60.0, 0.05

_PLACE = "teaching"  # where it is told what the last action came to

_TITLES = {"taught": "Drawings it was taught", "others": "Drawings it was not taught", "test": "Test images"}


def lessons() -> list[LabelledDrawing]:
    """The session's labelled drawings, the oldest first."""
    return [_lesson(text, label) for text, label in _kept().items()]


def add_lesson(drawing: Drawing, label: str) -> bool:
    """Keep a drawing of the canvas; one that is kept already gets the new label. False where there is no room."""
    return _keep(_text(rounded(drawing)), label)


def teach_this(drawing: Drawing, run: Run, classes: Sequence[str]) -> None:
    """What was it? A click on a class keeps the drawing, on another one corrects that, on the same one lets it go."""
    text = _text(rounded(drawing))
    if DRAWINGS_CHANGED.take():
        st.rerun()
    known = _kept().get(text)
    label = label_of(run.id, _short(text))
    label.put(known if known in classes else None)
    st.segmented_control(
        "What was it?",
        classes,
        format_func=literal,
        key=label.name,
        on_change=_label,
        args=[text, label],
        help="Keeps the drawing with this label among yours, to fine-tune a network on.",
    )
    count = counted(len(_kept()), "drawing")
    kept = f"Kept as {literal(known)}, one of {count}." if known else f"Kept so far: {count}."
    st.caption(f"{kept} Reloading the page forgets them: download them under My drawings." if _kept() else kept)
    _tell()


def my_drawings(run: Run, trained: Trained) -> None:
    """The collection, what ``trained`` says to each, and fine-tuning ``run`` on it with what that changed."""
    st.subheader("My drawings")
    kept = {text: label for text, label in _kept().items() if label in trained.classes}
    _toolbar(run, hidden=len(_kept()) - len(kept))
    if not kept:
        st.info("Draw, and say what it was: misread drawings above all. Then teach them.", icon=":material/school:")
    _fine_tune([_lesson(text, label) for text, label in kept.items()], run, trained)
    _show_changes(run, kept)
    if kept:
        _gallery(kept, run, trained)


def _kept() -> dict[str, str]:
    return DRAWINGS.fill({})


def _text(drawing: Drawing) -> str:
    return drawing.model_dump_json(exclude={"label"})


def _lesson(text: str, label: str) -> LabelledDrawing:
    drawing = Drawing.model_validate_json(text)
    return LabelledDrawing(strokes=drawing.strokes, pen=drawing.pen, label=label)


def _short(text: str) -> str:
    return blake2s(text.encode(), digest_size=8).hexdigest()


def _keep(text: str, label: str) -> bool:
    kept = _kept()
    if text not in kept and len(kept) >= MAX_LESSONS:
        return False
    DRAWINGS.put({**kept, text: label})
    return True


def _label(text: str, chosen: Key[str | None]) -> None:
    label = chosen.get()
    if label is None:
        _remove([text])
    elif _keep(text, label):
        say(_PLACE, f"Kept as {label}: {counted(len(_kept()), 'drawing')} so far.")
    else:
        say(_PLACE, f"{MAX_LESSONS} drawings are kept at the most: remove one first.")
    DRAWINGS_CHANGED.put(True)


def _remove(texts: Sequence[str]) -> None:
    kept = _kept()
    DRAWINGS_BEFORE.put(kept)
    DRAWINGS.put({text: label for text, label in kept.items() if text not in texts})
    say(_PLACE, f"Removed: {counted(len(kept) - len(_kept()), 'drawing')}.")


def _undo() -> None:
    DRAWINGS.put({**DRAWINGS_BEFORE.take(), **_kept()})


def _tell() -> None:
    tell(_PLACE, ":material/school:", "Nothing was imported")


def _toolbar(run: Run, hidden: int) -> None:
    """Download, import, take in what ``run`` was taught, remove all and undo."""
    kept = _kept()
    known = {_text(lesson): lesson.label for lesson in run.config.lessons}
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Download",
            partial(
                write_labelled_drawings, lessons()
            ),  # read now: the session's state is not there when it is asked for
            "drawings.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
            disabled=not kept,
            help="All of them with their labels, for another day or python -m cnnlab teach: here they are kept only as "
            "long as this page is open",
        )
        with st.popover("Import", icon=":material/upload:"):
            st.file_uploader(
                "Drawings with their labels (.json)",
                ["json"],
                key=DRAWINGS_FILE.name,
                on_change=_import,
                max_upload_size=MAX_UPLOAD,
            )
            _tell()
        if known.keys() - kept.keys():
            st.button(
                "Take in this run's",
                icon=":material/move_to_inbox:",
                on_click=_add,
                args=[known],
                help=f"The {counted(len(known), 'drawing')} that it was taught",
            )
        st.button("Remove all", icon=":material/delete:", on_click=_remove, args=[list(kept)], disabled=not kept)
        if DRAWINGS_BEFORE.is_set:
            st.button("Undo", icon=":material/undo:", type="tertiary", on_click=_undo, key="teaching.undo")
    if hidden:
        st.caption(f"Left out here: {counted(hidden, 'drawing')} of characters that this network does not know.")


def _import() -> None:
    file = DRAWINGS_FILE.get()
    if file is None:
        return
    try:
        read = read_labelled_drawings(file.getvalue())
    except DrawingError as error:
        say(_PLACE, str(error), "error")
        return
    _add({_text(lesson): lesson.label for lesson in read})


def _add(found: dict[str, str]) -> None:
    """Keep those that are not here yet, as far as there is room."""
    new = {text: label for text, label in found.items() if text not in _kept()}
    added = sum(_keep(text, label) for text, label in new.items())
    say(
        _PLACE,
        f"Taken in: {counted(added, 'drawing')}."
        + (f" Here already: {len(found) - len(new)}." if len(new) < len(found) else "")
        + (f" Left out: {len(new) - added}, for {MAX_LESSONS} are kept at the most." if added < len(new) else ""),
    )


def _gallery(kept: dict[str, str], run: Run, trained: Trained) -> None:
    said = _answers(f"{run.id}.{trained.epoch}", list(kept), trained)
    right = sum(answer == label for answer, label in zip(said, kept.values(), strict=True))
    st.markdown(f"The network reads **{right} of {counted(len(kept), 'drawing')}** as you meant them.")
    rows = list(zip(kept.items(), said, strict=True))
    page = st.pagination(-(-len(rows) // SHOWN), key="teaching.page") if len(rows) > SHOWN else 1
    with st.container(horizontal=True):
        for (text, label), answer in rows[(page - 1) * SHOWN : page * SHOWN]:
            with st.container(width=120, border=True, gap="xxsmall"):
                _tile(text, label, answer, trained)


def _tile(text: str, label: str, answer: str, trained: Trained) -> None:
    picture = _picture(text, trained.shape[1], trained.shape[2])
    st.image(inline(enlarged(picture[0], side=84)), alt=f"A drawing of {label}")
    st.markdown(f"**{literal(label)}**")
    if answer == label:
        st.badge("read right", icon=":material/check:", color="green")
    else:
        st.markdown(f":red-badge[:material/close: read as {literal(answer)}]")
    st.button("Remove", key=f"teaching.remove.{_short(text)}", on_click=_remove, args=[[text]], type="tertiary")


@st.cache_data(max_entries=2 * MAX_LESSONS, show_spinner=False)
def _picture(text: str, height: int, width: int) -> Tensor:
    """(1, 1, height, width) uint8, what a network is taught."""
    return prepare(stroke_ink(Drawing.model_validate_json(text)), (height, width))


@st.cache_data(max_entries=64, show_spinner=False)
def _answers(at: str, texts: list[str], _trained: Trained) -> list[str]:
    images = torch.cat([_picture(text, *_trained.shape[1:]) for text in texts])
    return [_trained.classes[index] for index in _trained.probabilities(images).argmax(1).tolist()]


def _fine_tune(known: Sequence[LabelledDrawing], run: Run, trained: Trained) -> None:
    """The button that starts the branch, or how far it is."""
    job = session.current_job()
    if job and job.is_running:
        if job.config.lessons:
            poll.until_over(lambda: job.is_running, UPDATE_SECONDS, _watch, job)
        else:
            st.caption("One training at a time in a session: wait for its end, or stop it, to teach.")
        return
    if job and job.error and job.config.lessons:
        st.error(literal(job.error), title="The fine-tuning failed")
    if not known:
        return
    taught, aside = set_aside(known)
    if aside and not st.toggle(
        f"Keep {len(aside)} aside to judge by",
        value=True,
        key="teaching.aside",
        persist_state="session",
        help=f"Every drawing number {ASIDE} of a label is not taught: only on such drawings one sees what it learned.",
    ):
        taught = list(known)
    if st.button(f"Fine-tune on {counted(len(taught), 'drawing')}", type="primary", icon=":material/school:"):
        _start(taught, run, trained.epoch)
    st.caption(
        "A few seconds of further training from this run's weights, its own training images beside your drawings, so "
        "that it forgets little. The result is a run of its own; this one stays as it is."
    )


def _start(taught: Sequence[LabelledDrawing], run: Run, epoch: int) -> None:
    try:
        job = session.start(fine_tuning(run, taught, epoch))
    except (ConfigError, DatasetError, RunError) as error:
        st.error(literal(str(error)), title="These drawings cannot be taught")
        return
    # With its first weights on disk it is a run to look at, and the page goes on with that one.
    asked = monotonic()
    with st.spinner("Beginning with the weights of this run"):
        while job.is_running and not job.steps and monotonic() - asked < PATIENCE_SECONDS:
            job.join(POLL_SECONDS)
    st.rerun()


def _watch(job: Job) -> None:
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.progress(job.progress, text=progress_text(job))
    right.button("Stop and keep", on_click=job.stop, icon=":material/stop_circle:", key="teaching.stop")


def _show_changes(run: Run, kept: dict[str, str]) -> None:
    """Learning and forgetting, where ``run`` was taught and has ended."""
    config, summary = run.config, run.summary
    if not (config.parent and config.lessons) or summary.status == "running":
        return
    taught = {_text(lesson) for lesson in config.lessons}
    others = [_lesson(text, label) for text, label in kept.items() if text not in taught]
    try:
        found = _changes(f"{run.id}.{summary.epoch}", write_labelled_drawings(others), run, others)
    except (DatasetError, RunError) as error:
        st.caption(f"Before and after cannot be told: {literal(str(error))}.")
        return
    st.markdown(f"**What it learned and forgot**, against epoch {config.parent.epoch} of the run it was made of")
    with st.container(horizontal=True):
        for kind, change in found.items():
            _metric(kind, change)
    st.caption(
        "Drawings it was taught are no honest test, for it may know them by heart; the others of yours are, as long as "
        f"nobody teaches them. What it forgot shows on the {found['test'].images:,} test images."
    )
    if found["test"].before - found["test"].after > MUCH * found["test"].images:
        st.warning(
            "It forgot much. Is one of the drawings labelled wrong, or hard to tell even for people? Remove it and "
            "teach the run it came from again; more drawings help too."
        )


def _metric(kind: str, change: Change) -> None:
    points = 100 * (change.after - change.before) / change.images
    few = kind != "test"
    st.metric(
        _TITLES[kind],
        f"{change.after} of {change.images}" if few else f"{change.after / change.images:.2%}",
        f"{change.after - change.before:+d}" if few else f"{points:+.2f} points",
        delta_color="normal" if points else "off",
        delta_arrow="auto" if points else "off",
    )


@st.cache_data(max_entries=16, show_spinner="Asking both networks")
def _changes(at: str, others: bytes, _run: Run, _others: Sequence[LabelledDrawing]) -> dict[str, Change]:
    return changes(_run, session.store(), _others)
