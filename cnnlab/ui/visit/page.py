"""A network's page for visitors: they draw or choose a picture, and it answers. Nothing leads on from here."""

from __future__ import annotations

import streamlit as st
from torch import Tensor

from cnnlab.analysis.ood import TrainingFeatures, read
from cnnlab.data.datasets import dataset_spec
from cnnlab.drawings.preprocess import prepared, stroke_ink
from cnnlab.people.rights import Action
from cnnlab.runs.run import Run
from cnnlab.runs.trained import Trained, seen_by
from cnnlab.ui.shell import frame, person, session, startup
from cnnlab.ui.shell.literal import literal
from cnnlab.ui.shell.networks import trained_network
from cnnlab.ui.views.answer import show_answer
from cnnlab.ui.views.cached import training_features
from cnnlab.ui.widgets.canvas import drawing_canvas
from cnnlab.ui.widgets.image_file import ask_for_file_or_webcam, read_or_say

MAX_UPLOAD = 10  # MB
MOST_NAMED = 20  # classes

_CLOSED = "There is nothing to see at this address. The page may be closed, or the link incomplete."


def visit(run_id: str) -> None:
    """Show the page in place of all others, where the session's person may ask the run for predictions."""
    st.set_page_config(page_title="CNN Lab", page_icon="🔬", layout="wide")
    person.identify()
    startup.get_ready()
    run = session.find_run(run_id, Action.PREDICT)
    if run is None:
        st.title("CNN Lab", anchor=False)
        st.info(_CLOSED, icon=":material/door_front:")
        return
    with frame.errors_shown():
        _ask(run)


def _ask(run: Run) -> None:
    trained = trained_network(run)
    st.title(literal(run.title), anchor=False)
    st.caption(_known(trained.classes))
    familiar = training_features(run, trained.epoch)
    if dataset_spec(run.config.dataset).is_drawn:
        _drawn(run, trained, familiar)
    else:
        _picture(run, trained, familiar)


@st.fragment  # a stroke reruns this, not the whole page
@frame.errors_shown()
def _drawn(run: Run, trained: Trained, familiar: TrainingFeatures) -> None:
    if not person.may(Action.PREDICT, run):  # it was closed since the page was drawn
        st.rerun()
    paper, answer = st.columns([4, 7], gap="large")
    with paper:
        drawing = drawing_canvas(has_pens=False)
    with answer:
        if drawing is None:
            st.info("Draw one of its classes. The network answers when you lift the pen.", icon=":material/edit:")
            return
        steps = prepared(stroke_ink(drawing), trained.shape[1:])
        _answer(run, trained, familiar, steps.image, steps.suspicion)


def _picture(run: Run, trained: Trained, familiar: TrainingFeatures) -> None:
    chosen, answer = st.columns([4, 7], gap="large")
    with chosen:
        file = ask_for_file_or_webcam("A picture", "Take a picture", "visit", MAX_UPLOAD)
    with answer:
        if file is None:
            st.info("Choose a picture of one of its classes.", icon=":material/add_photo_alternate:")
            return
        if (picture := read_or_say(file)) is None:
            return
        made = seen_by(run, picture)
        _answer(run, trained, familiar, made.image)
    with chosen:
        st.image(picture, alt="Your picture")
        for change in made.changes:
            st.caption(change)


def _answer(run: Run, trained: Trained, familiar: TrainingFeatures, image: Tensor, suspicion: str = "") -> None:
    show_answer(read(trained, image, familiar, suspicion), trained.classes, run.id)


def _known(classes: tuple[str, ...]) -> str:
    """Say which classes the network knows."""
    named = ", ".join(map(literal, classes[:MOST_NAMED]))
    return f"This network knows {len(classes)} classes: {named}{', …' * (len(classes) > MOST_NAMED)}."
