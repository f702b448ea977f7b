"""The choice of an image for the views of Inside: a test image, an upload, or the latest drawing."""

from __future__ import annotations

import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator

from cnnlab.data.datasets import dataset_spec
from cnnlab.data.file_names import file_names
from cnnlab.drawings.preprocess import prepare, stroke_ink
from cnnlab.drawings.strokes import DrawingError
from cnnlab.runs.run import Run
from cnnlab.runs.summary import Summary
from cnnlab.runs.trained import seen_by, test_split
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.networks import trained_network
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.shell.state import IMAGE_CLASS, IMAGE_SOURCE, IMAGE_WRONG, Key, image_number, judged_at
from cnnlab.ui.views.cached import answers
from cnnlab.ui.views.view import Picked
from cnnlab.ui.widgets.canvas import current_drawing
from cnnlab.ui.widgets.image_file import ask_for_file, read_or_say

_TEST, _UPLOAD, _DRAWING = "Test image", "Upload", "Drawing"
_ANY = "any class"


def pick_image(run: Run, newest: int) -> Picked | None:
    """Choose an image; show what to do next and return None where there is none. ``newest`` is the run's last epoch."""
    summary, is_drawn = run.summary, dataset_spec(run.config.dataset).is_drawn
    sources = [_TEST, _UPLOAD, _DRAWING] if is_drawn else [_TEST, _UPLOAD]
    where, *rest = st.columns([3, 2, 2, 2], vertical_alignment="bottom")
    IMAGE_SOURCE.fill(_TEST)
    source = where.segmented_control("Image", sources, required=True, key=IMAGE_SOURCE.name, persist_state="session")
    if source == _UPLOAD:
        return _uploaded(run)
    if source == _DRAWING:
        return _drawn(summary, run.config.dataset)
    return _of_the_test_set(run, summary.classes, newest, rest)


def choose_test_image(label: str, number: int) -> None:
    """Set the picker to the ``number``-th test image of class ``label``; for callbacks."""
    IMAGE_SOURCE.put(_TEST)
    IMAGE_WRONG.put(False)
    IMAGE_CLASS.put(label)
    image_number(label, only_wrong=False).put(number)


def choose_mistakes(run: Run) -> None:
    """Set the picker to the test images that the run misreads; for callbacks."""
    IMAGE_SOURCE.put(_TEST)
    IMAGE_WRONG.put(True)
    _look_everywhere(judged_at(run.id))


def _of_the_test_set(run: Run, classes: tuple[str, ...], newest: int, places: list[DeltaGenerator]) -> Picked | None:
    split = test_split(run)
    left, middle, right = places
    label = left.selectbox("Class", [_ANY, *classes], index=1, key=IMAGE_CLASS.name, persist_state="session")
    judged = judged_at(run.id)
    only_wrong = right.toggle(
        "Only mistakes", key=IMAGE_WRONG.name, persist_state="session", on_change=_look_everywhere, args=[judged]
    )
    chosen = torch.ones(len(split), dtype=torch.bool)
    if label != _ANY:
        chosen &= split.labels == classes.index(label)
    epoch = newest
    if only_wrong:  # at the newest epoch when requested, so that the image stays when the slider moves
        epoch = judged.fill(newest)
        chosen &= ~torch.from_numpy(answers(run, trained_network(run, epoch)).hits)
    members = chosen.nonzero().flatten().tolist()
    if not members:
        with st.container(border=True):
            st.markdown(f"After epoch {epoch} the network misreads no image of this selection.")
            st.button("Show all images", type="primary", key="inside.all_images", on_click=IMAGE_WRONG.drop)
        return None
    number = middle.number_input(
        f"Number, 1 to {len(members):,}",
        1,
        len(members),
        key=image_number(label, only_wrong).name,
        persist_state="session",
    )
    index = members[number - 1]
    name = frame.literal(classes[int(split.labels[index])])
    file = "".join(f" ({frame.literal(path)})" for path in file_names(run.config.dataset, split, [index]))
    title = f"Test image {index + 1:,}{file}, a **{name}**"
    return Picked(split.image(index)[None], title, label=int(split.labels[index]))


def _look_everywhere(judged: Key[int]) -> None:
    """Search all classes, at the current epoch, as wrong images are few."""
    judged.drop()
    if IMAGE_WRONG.get():
        IMAGE_CLASS.put(_ANY)


def _uploaded(run: Run) -> Picked | None:
    file = ask_for_file("An image", "inside.upload")
    if file is None:
        st.info("Choose an image file. It is scaled to the network's input size.", icon=":material/upload:")
        return None
    picture = read_or_say(file)
    if picture is None:
        return None
    try:
        made = seen_by(run, picture)
    except DrawingError as error:
        st.error(as_reason(error), title="This picture cannot be used")
        return None
    for change in made.changes:
        st.caption(change)
    return Picked(made.image, "Your image", is_own=True)


def _drawn(summary: Summary, dataset: str) -> Picked | None:
    drawing = current_drawing()
    if drawing is None:
        st.info("You have not drawn anything yet.", icon=":material/draw:")
        frame.link_to_draw(dataset, summary.classes)
        return None
    pixels = prepare(stroke_ink(drawing), summary.shape[1:])
    return Picked(pixels, "Your drawing", drawing, is_own=True)
