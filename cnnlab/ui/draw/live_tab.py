"""The live camera, for networks that classify other things than drawn characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st
from PIL import Image

from cnnlab.analysis.ood import read
from cnnlab.drawings.camera import frame_bytes, read_frame
from cnnlab.drawings.strokes import DrawingError
from cnnlab.runs.entry import Entry
from cnnlab.runs.trained import seen_by
from cnnlab.text import percent
from cnnlab.ui.draw.predictions import newest, prepare_answers
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.widgets.live_answers import Bar, LiveAnswer
from cnnlab.ui.widgets.live_camera import LIVE_PART, latest_frame, live_camera

LEAST_SIDE, MOST_SIDE = 96, 224  # pixels of the pictures that are sent
SHOWN = 10  # classes, the likeliest


@st.fragment(key=LIVE_PART)  # each picture reruns this, not the whole page
@frame.errors_shown()
def show(named: Mapping[str, Entry]) -> None:
    """Show the camera, and what the runs ``named`` answer to its pictures."""
    sent = latest_frame()
    number = 0
    answers: Sequence[LiveAnswer] = []
    if isinstance(sent, dict):
        number = sent["number"] if isinstance(sent.get("number"), int) else 0
        try:
            picture = read_frame(frame_bytes(sent.get("frame")))
        except DrawingError as error:
            st.error(as_reason(error))
        else:
            answers = _answers(named, picture)
    else:
        prepare_answers(named)
    live_camera(_side(named), number, answers)


def _side(named: Mapping[str, Entry]) -> int:
    """Return the side of the pictures that suits the largest of the networks."""
    largest = max(max(entry.summary.shape[1:]) for entry in named.values())
    return min(max(LEAST_SIDE, largest), MOST_SIDE)


def _answers(named: Mapping[str, Entry], picture: Image.Image) -> Sequence[LiveAnswer]:
    return [_answer(name if len(named) > 1 else "", entry, picture) for name, entry in named.items()]


def _answer(title: str, entry: Entry, picture: Image.Image) -> LiveAnswer:
    network, familiar = newest(entry)
    reading = read(network, seen_by(entry.run, picture).image, familiar)
    trained_so_far = "" if familiar else f", epoch {network.epoch} of {entry.epochs}"
    likeliest = sorted(range(len(network.classes)), key=lambda number: -reading.probabilities[number])[:SHOWN]
    return LiveAnswer(
        title=title,
        said="Not sure" if reading.doubt else reading.said,
        sure=f"{percent(reading.certainty)} sure{trained_so_far}",
        doubt=reading.doubt,
        bars=[Bar(network.classes[number], reading.probabilities[number]) for number in sorted(likeliest)],
    )
