"""A photo of handwritten digits on paper: each is found and classified, in reading order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image
from torch import Tensor

from cnnlab import charts
from cnnlab.analysis.ood import Reading, read
from cnnlab.charts.png import Picture, inline
from cnnlab.drawings.images import read_picture
from cnnlab.drawings.page import Sheet, find_characters
from cnnlab.drawings.preprocess import Preparation, prepared
from cnnlab.drawings.strokes import DrawingError
from cnnlab.networks.layers import Shape
from cnnlab.runs.entry import Entry
from cnnlab.text import percent
from cnnlab.ui.draw.predictions import newest, prepare_answers
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.widgets.figure import show_figure
from cnnlab.ui.widgets.image_file import ask_for_file_or_webcam
from cnnlab.ui.widgets.images import enlarged

_SIDE = 1000  # pixels, the longer side of the photo as shown
_ROW = 60  # pixels: height of a table row with an image of 56
_ALL_AT_ONCE = 12  # rows; the table scrolls with more

Readings = Mapping[str, Sequence[Reading]]  # of each character, by run name


@st.fragment
@frame.errors_shown()
def show(named: Mapping[str, Entry]) -> None:
    """Show the upload, the digits found and the predictions of the runs ``named``."""
    left, right = st.columns([4, 7], gap="large")
    with left:
        file = ask_for_file_or_webcam("A photo of handwritten digits", "Hold the paper in front of the camera", "photo")
    if file is None:
        right.info(
            "Write digits on paper with a thick dark pen, in one or more lines. They must not touch. Take the photo "
            "in good light, from above. Chalk on a board works too.",
            icon=":material/photo_camera:",
        )
        prepare_answers(named)
        return
    try:
        pixels, sheet = _found(file.getvalue())
    except DrawingError as error:
        right.error(as_reason(error), title="This photo cannot be read")
        right.caption("Best: a thick dark pen on plain paper, even light without flash, camera close and above.")
        return
    seen = {shape: [prepared(character.ink, shape[1:]) for character in sheet.characters] for shape in _shapes(named)}
    readings = {name: _read(entry, seen) for name, entry in named.items()}
    with left:
        st.caption(_told(sheet))
    with right:
        _marked(pixels, sheet, readings)
    _in_a_row(sheet, readings)
    _one_by_one([steps.image for steps in next(iter(seen.values()))], readings)


@st.cache_data(show_spinner="Finding the characters", max_entries=4)
def _found(content: bytes) -> tuple[Picture, Sheet]:
    """Find the characters on a photo; return it at display size (H, W, 3), and them. Raises DrawingError."""
    photo = read_picture(content)
    sheet = find_characters(photo)
    photo.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    return np.asarray(photo), sheet


def _shapes(named: Mapping[str, Entry]) -> list[Shape]:
    return list(dict.fromkeys(entry.summary.shape for entry in named.values()))


def _read(entry: Entry, seen: Mapping[Shape, Sequence[Preparation]]) -> list[Reading]:
    trained, familiar = newest(entry)
    return [read(trained, steps.image, familiar, steps.suspicion) for steps in seen[trained.shape]]


def _told(sheet: Sheet) -> str:
    """Describe what was found on the photo, and how it was processed."""
    count, lines = len(sheet.characters), 1 + max(character.line for character in sheet.characters)
    told = f"{frame.counted(count, 'character')} in {frame.counted(lines, 'line')}."
    if sheet.found > count:
        told = f"Only the first {count} of {sheet.found} characters are read. Take a photo of fewer."
    return f"{told} The page was straightened by {abs(sheet.angle):.0f}°." if sheet.angle else told


def _marked(pixels: Picture, sheet: Sheet, readings: Readings) -> None:
    """Show the photo with a box and the predictions on each character."""
    by_character = list(zip(*readings.values(), strict=True))
    scale = max(pixels.shape) / max(sheet.size)
    figure = charts.boxed_photo(
        pixels,
        [character.box * scale for character in sheet.characters],
        ["/".join(dict.fromkeys(reading.name for reading in given)) for given in by_character],
        [
            [f"{name}: {_answer(reading)}" for name, reading in zip(readings, given, strict=True)]
            for given in by_character
        ],
        [any(reading.doubt for reading in given) for given in by_character],
    )
    alt = f"The photo with {frame.counted(len(by_character), 'character')} boxed and named"
    caption = "Hover to see how sure each run is. Orange: a run is not sure."
    show_figure(figure, "photo", alt, lambda: _table(sheet, readings), caption)


def _table(sheet: Sheet, readings: Readings) -> pd.DataFrame:
    """List each character's position on the photo in pixels, and its predictions."""
    centres = [character.box.mean(0) for character in sheet.characters]
    columns: dict[str, Sequence[object]] = {
        "line": [character.line + 1 for character in sheet.characters],
        "x": [round(x) for x, _ in centres],
        "y": [round(y) for _, y in centres],
    }
    for name, given in readings.items():
        columns[name] = [reading.name for reading in given]
        columns[f"{name}, probability"] = [reading.certainty for reading in given]
        columns[f"{name}, doubt"] = [reading.doubt for reading in given]
    return pd.DataFrame(columns)


def _in_a_row(sheet: Sheet, readings: Readings) -> None:
    """Show each run's predictions as text to copy."""
    for place, (name, given) in zip(st.columns(len(readings)), readings.items(), strict=True):
        lines: dict[int, list[str]] = {}
        for character, reading in zip(sheet.characters, given, strict=True):
            lines.setdefault(character.line, []).append(reading.name)
        doubts = sum(bool(reading.doubt) for reading in given)
        with place:
            st.markdown(f"**{frame.literal(name)}**")
            st.code(" / ".join(" ".join(line) for line in lines.values()), language=None, wrap_lines=True)
            st.caption(f"Not sure of {doubts} of {len(given)}" if doubts else "Sure of all")


def _one_by_one(images: Sequence[Tensor], readings: Readings) -> None:
    """Show the network's input for each character, and each run's prediction."""
    seen = [inline(enlarged(image[0], 56)) for image in images]
    answers = {name: [_answer(reading) for reading in given] for name, given in readings.items()}
    st.dataframe(
        pd.DataFrame({"#": range(1, len(seen) + 1), "Input": seen, **answers}),
        width="content",
        hide_index=True,
        height="content" if len(seen) <= _ALL_AT_ONCE else "auto",
        row_height=_ROW,
        column_config={
            "#": st.column_config.NumberColumn(width=50),
            "Input": st.column_config.ImageColumn(width=80, help="The pixels the network gets"),
        },
    )


def _answer(reading: Reading) -> str:
    """Format a prediction with its confidence, and the reason where it is not sure."""
    if reading.doubt:
        return f"{reading.name}? {percent(reading.certainty)}, {reading.doubt}"
    return f"{reading.name}  {percent(reading.certainty)}"
