"""Ten characters to draw against the clock; all chosen runs classify the same drawings."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st
from torch import Tensor

from cnnlab.charts.png import inline
from cnnlab.drawings.challenge import Challenge
from cnnlab.drawings.preprocess import prepare, stroke_ink
from cnnlab.drawings.strokes import Drawing, LabelledDrawing
from cnnlab.runs.entry import Entry
from cnnlab.runs.trained import readings
from cnnlab.ui.draw.teaching import add_lesson
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.networks import trained_network
from cnnlab.ui.shell.state import CHALLENGE, CHALLENGE_KEPT
from cnnlab.ui.widgets.canvas import drawing_canvas, set_drawing
from cnnlab.ui.widgets.images import enlarged

ABREAST = 5  # images of drawings in a row
CLOCK_SECONDS = 1.0


@st.fragment
@frame.errors_shown()
def show(named: Mapping[str, Entry]) -> None:
    """Show the challenge for the runs ``named``."""
    classes = next(iter(named.values())).summary.classes
    challenge = CHALLENGE.get()
    if challenge is None or not set(challenge.asked) <= set(classes):
        st.info(
            "You draw ten characters, one after the other. The clock starts when you press Start.",
            icon=":material/timer:",
        )
        st.button("Start", type="primary", key="challenge.begin", on_click=_begin, args=[classes])
    elif challenge.is_over:
        _result(challenge, named)
        st.button("Try again", icon=":material/replay:", on_click=_begin, args=[classes])
    else:
        _ask(challenge)


def _ask(challenge: Challenge) -> None:
    question, paper = st.columns([4, 7], gap="large")  # on a phone the question and its button come first
    with paper:
        drawing = drawing_canvas()
    with question:
        done = len(challenge.drawn)
        st.progress(done / len(challenge.asked), text=f"{done + 1} of {len(challenge.asked)}")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.metric("Draw", frame.literal(challenge.question), width="content")
            st.fragment(_clock, run_every=CLOCK_SECONDS)(challenge)
            st.button(
                "Done, next",
                type="primary",
                key="challenge.next",
                disabled=drawing is None,
                on_click=_hand_over,
                args=[challenge, drawing],
            )
            st.button("Stop", type="tertiary", on_click=_give_up)


def _clock(challenge: Challenge) -> None:
    st.metric("Time", f"{challenge.elapsed:.0f} s", width="content")


def _result(challenge: Challenge, named: Mapping[str, Entry]) -> None:
    read = {name: readings(trained_network(entry.run), challenge.drawn) for name, entry in named.items()}
    labels = [lesson.label for lesson in challenge.drawn]
    rows = [
        (name, sum(map(str.__eq__, answers, labels)), sum(certainty) / len(certainty))
        for name, (answers, certainty) in read.items()
    ]
    total = sum(challenge.seconds)
    with st.container(horizontal=True):
        best = max(number for _, number, _ in rows)
        st.metric("Read right", f"{best} of {len(challenge.drawn)}", help="By the best of the selected runs")
        st.metric(
            "Your time",
            f"{total:.1f} s",
            f"{total / len(challenge.drawn):.1f} s each",
            delta_color="off",
            delta_arrow="off",
        )
    st.dataframe(
        pd.DataFrame(rows, columns=["Run", "Read right", "Mean probability"]),
        hide_index=True,
        column_config={"Mean probability": st.column_config.NumberColumn(format="percent")},
    )
    st.caption("All runs read the same ten drawings. Select other runs above to test them too.")
    _gallery(challenge, {name: answers for name, (answers, _) in read.items()})
    if kept := CHALLENGE_KEPT.take():
        st.toast(f"Saved under My drawings: {frame.counted(kept, 'drawing')}.", icon=":material/school:")
    st.button(
        "Save to My drawings",
        icon=":material/playlist_add:",
        key="challenge.keep",
        on_click=_keep,
        args=[challenge],
        help="Fine-tune a network on them later. Their labels are known.",
    )


def _gallery(challenge: Challenge, answers: Mapping[str, list[str]]) -> None:
    places = [place for _ in range(0, len(challenge.drawn), ABREAST) for place in st.columns(ABREAST)]
    for number, (place, lesson) in enumerate(zip(places, challenge.drawn, strict=False)):
        with place:
            st.image(inline(enlarged(_image(lesson), 112)), alt=f"Your {lesson.label}", width=112)
            said = [given[number] for given in answers.values()]
            wrong = [answer for answer in said if answer != lesson.label]
            verdict = f":red[read as {frame.literal(' · '.join(said))}]" if wrong else ":green[✓]"
            st.caption(f"**{frame.literal(lesson.label)}** {verdict}, {challenge.seconds[number]:.1f} s")


def _image(lesson: LabelledDrawing) -> Tensor:
    """Render the drawing: (1, 28, 28) uint8."""
    return prepare(stroke_ink(lesson))[0]


def _begin(classes: tuple[str, ...]) -> None:
    set_drawing()
    CHALLENGE.put(Challenge.of(classes))


def _hand_over(challenge: Challenge, drawing: Drawing) -> None:
    challenge.hand_over(drawing)
    set_drawing()


def _keep(challenge: Challenge) -> None:
    CHALLENGE_KEPT.put(sum(add_lesson(lesson, lesson.label) for lesson in challenge.drawn))


def _give_up() -> None:
    set_drawing()
    CHALLENGE.drop()
