"""Labelled drawings: label, collect, and fine-tune a branch of the run on them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from hashlib import blake2s

import streamlit as st
import torch
from torch import Tensor

from cnnlab.charts.png import inline
from cnnlab.drawings.preprocess import prepare, stroke_ink
from cnnlab.drawings.strokes import (
    Drawing,
    DrawingError,
    read_labelled_drawings,
    rounded,
    write_labelled_drawings,
)
from cnnlab.places import command
from cnnlab.runs.run import Run
from cnnlab.runs.trained import Trained
from cnnlab.training.config import MAX_LESSONS
from cnnlab.ui.draw.fine_tuning import fine_tune, show_changes
from cnnlab.ui.shell import drawings
from cnnlab.ui.shell.flash import say, tell
from cnnlab.ui.shell.frame import counted, literal
from cnnlab.ui.shell.state import DRAWINGS, DRAWINGS_BEFORE, DRAWINGS_CHANGED, DRAWINGS_FILE, Key, label_of
from cnnlab.ui.widgets.images import enlarged

MAX_UPLOAD = 10  # MB, of drawings to import
SHOWN = 24  # drawings per page of the gallery

_PLACE = "teaching"  # where the result of the last action is shown


def add_lesson(drawing: Drawing, label: str) -> bool:
    """Store a drawing, or change the label of a stored one. Returns False where the collection is full."""
    return drawings.keep(drawings.text_of(rounded(drawing)), label)


def teach_this(drawing: Drawing, run: Run, classes: Sequence[str]) -> None:
    """Ask for the drawing's class: a click stores it, another class corrects the label, the same one removes it."""
    text = drawings.text_of(rounded(drawing))
    if DRAWINGS_CHANGED.take():
        st.rerun()
    known = drawings.kept().get(text)
    label = label_of(run.id, _short(text))
    label.put(known if known in classes else None)
    st.segmented_control(
        "Which digit did you draw?",
        classes,
        format_func=literal,
        key=label.name,
        on_change=_label,
        args=[text, label],
        help="Saves the drawing with this label, to fine-tune a network on.",
    )
    count = counted(len(drawings.kept()), "drawing")
    kept = f"Saved as {literal(known)}, one of {count}." if known else f"Saved so far: {count}."
    st.caption(f"{kept} Reloading the page deletes them: download them under My drawings." if drawings.kept() else kept)
    _tell()


def my_drawings(run: Run, trained: Trained) -> None:
    """Show the collection with the predictions of ``trained``, and fine-tuning of ``run`` on it with its effects."""
    st.subheader("My drawings")
    kept = {text: label for text, label in drawings.kept().items() if label in trained.classes}
    _toolbar(run, hidden=len(drawings.kept()) - len(kept))
    if not kept:
        st.info("Draw and label the drawing, above all misread ones. Then fine-tune on them.", icon=":material/school:")
    known = [drawings.lesson(text, label) for text, label in kept.items()]
    fine_tune(known, run, trained)
    show_changes(run, known)
    if kept:
        _gallery(kept, run, trained)


def _short(text: str) -> str:
    return blake2s(text.encode(), digest_size=8).hexdigest()


def _label(text: str, chosen: Key[str | None]) -> None:
    label = chosen.get()
    if label is None:
        _remove([text])
    elif drawings.keep(text, label):
        say(_PLACE, f"Saved as {label}: {counted(len(drawings.kept()), 'drawing')} so far.")
    else:
        say(_PLACE, f"You can keep at most {MAX_LESSONS} drawings: remove one first.")
    DRAWINGS_CHANGED.put(True)


def _remove(texts: Sequence[str]) -> None:
    kept = drawings.kept()
    DRAWINGS_BEFORE.put(kept)
    DRAWINGS.put({text: label for text, label in kept.items() if text not in texts})
    say(_PLACE, f"Removed: {counted(len(kept) - len(drawings.kept()), 'drawing')}.")


def _undo() -> None:
    DRAWINGS.put({**DRAWINGS_BEFORE.take(), **drawings.kept()})


def _tell() -> None:
    tell(_PLACE, ":material/school:", "Nothing was imported")


def _toolbar(run: Run, hidden: int) -> None:
    """Show buttons: download, import, add the drawings that ``run`` was trained on, remove all, undo."""
    kept = drawings.kept()
    known = {drawings.text_of(lesson): lesson.label for lesson in run.config.lessons}
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Download",
            partial(
                write_labelled_drawings, drawings.lessons()
            ),  # read now: the session's state is not available in the callback
            "drawings.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
            disabled=not kept,
            help=f"All drawings with their labels, for later or for {command()} teach. This page keeps them only "
            "while it is open.",
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
                "Add this run's drawings",
                icon=":material/move_to_inbox:",
                on_click=_add,
                args=[known],
                help=f"The {counted(len(known), 'drawing')} it was trained on",
            )
        st.button("Remove all", icon=":material/delete:", on_click=_remove, args=[list(kept)], disabled=not kept)
        if DRAWINGS_BEFORE.is_set:
            st.button("Undo", icon=":material/undo:", type="tertiary", on_click=_undo, key="teaching.undo")
    if hidden:
        st.caption(f"Left out: {counted(hidden, 'drawing')} of characters this network does not know.")


def _import() -> None:
    file = DRAWINGS_FILE.get()
    if file is None:
        return
    try:
        read = read_labelled_drawings(file.getvalue())
    except DrawingError as error:
        say(_PLACE, str(error), "error")
        return
    _add({drawings.text_of(lesson): lesson.label for lesson in read})


def _add(found: dict[str, str]) -> None:
    """Store drawings that are new, as far as there is room."""
    new = {text: label for text, label in found.items() if text not in drawings.kept()}
    added = sum(drawings.keep(text, label) for text, label in new.items())
    say(
        _PLACE,
        f"Added: {counted(added, 'drawing')}."
        + (f" Already here: {len(found) - len(new)}." if len(new) < len(found) else "")
        + (f" Left out: {len(new) - added}; you can keep at most {MAX_LESSONS}." if added < len(new) else ""),
    )


def _gallery(kept: dict[str, str], run: Run, trained: Trained) -> None:
    said = _answers(f"{run.id}.{trained.epoch}", list(kept), trained)
    right = sum(answer == label for answer, label in zip(said, kept.values(), strict=True))
    st.markdown(f"The network reads **{right} of {counted(len(kept), 'drawing')}** right.")
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
    """Render (1, 1, height, width) uint8, the image used for training."""
    return prepare(stroke_ink(Drawing.model_validate_json(text)), (height, width))


@st.cache_data(max_entries=64, show_spinner=False)
def _answers(at: str, texts: list[str], _trained: Trained) -> list[str]:
    images = torch.cat([_picture(text, *_trained.shape[1:]) for text in texts])
    return [_trained.classes[index] for index in _trained.probabilities(images).argmax(1).tolist()]
