"""A camera that records pictures of several classes while a button is held; they come in bursts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import streamlit as st

from cnnlab.charts.png import jpeg_url
from cnnlab.data.pictures.collecting import MAX_BURST, MIN_BURST, Collection
from cnnlab.drawings.camera import FRAME_SIDE, frame_bytes, read_frame
from cnnlab.drawings.strokes import DrawingError
from cnnlab.errors import CnnLabError
from cnnlab.ui.shell.state import RECORDER, RECORDER_ERROR, RECORDER_SEEN, RECORDER_TAKEN
from cnnlab.ui.widgets.camera_view import camera_view, rerun_fragment
from cnnlab.ui.widgets.component_files import joined
from cnnlab.ui.widgets.live_answers import LiveAnswer

RECORDER_PART = "recorder"  # key of the fragment that it is drawn in
_component = st.components.v2.component(
    "cnnlab_recorder",
    html=f"""
<div class="camera recorder">
  <div class="recorder-parts">
    <div>
      {camera_view("Pictures go to this app's server, and nowhere else.")}
      <p class="recorder-hint"></p>
      <div class="recorder-seen"></div>
    </div>
    <div>
      <div class="recorder-classes"></div>
      <p class="recorder-error" role="alert"></p>
      <div class="recorder-more">
        <button type="button" class="recorder-add">Another class</button>
        <button type="button" class="recorder-none">A class “none”</button>
      </div>
    </div>
  </div>
</div>
""",
    css=joined("camera.css", "live_answers.css", "recorder.css"),
    js=joined("camera.js", "live_answers.js", "recorder.js"),
)


def recorder(collection: Collection, error: str, answers: Sequence[LiveAnswer] | None, hint: str) -> None:
    """Show the camera and the classes of ``collection``, which grows by what is recorded and named.

    ``error`` is what is wrong with the classes, ``answers`` are those to RECORDER_SEEN; None where there can be none
    yet, as the ``hint`` explains. The browser asks before a page is left whose pictures wait to be added.

    It is drawn in a fragment with RECORDER_PART as its key, as in ``live_camera``.
    """
    classes = [
        {
            "name": one.name,
            "count": one.count,
            "thumbs": [{"url": jpeg_url(burst.thumb), "count": len(burst.files)} for burst in one.bursts],
        }
        for one in collection.classes
    ]
    data = {
        "classes": classes,
        "side": FRAME_SIDE,
        "longest": MAX_BURST,
        "fewest": MIN_BURST,
        "waits": collection.waits,
        "taken": RECORDER_TAKEN.get(),
        "error": RECORDER_ERROR.get() or error,
        "canAnswer": answers is not None,
        "answers": [asdict(answer) for answer in answers or ()],
        "hint": hint,
    }

    def act() -> None:
        _act(collection)
        rerun_fragment(RECORDER_PART)

    _component(data=data, key=RECORDER.name, on_action_change=act, on_page_change=st.rerun)


def _act(collection: Collection) -> None:
    """Do once what the browser asks for: it is not trusted, and sends again what it thinks was lost."""
    # What the browser sends as its page is left arrives when the component's state is gone.
    action = getattr(RECORDER.get(), "action", None)
    if not isinstance(action, dict) or action.get("number") == RECORDER_TAKEN.get():
        return
    RECORDER_TAKEN.put(action.get("number"))
    RECORDER_ERROR.drop()
    try:
        if action.get("what") == "look":
            RECORDER_SEEN.put(frame_bytes(action["frame"]))
        else:
            carry_out(collection, action)
    except (CnnLabError, IndexError, KeyError, TypeError) as error:
        RECORDER_ERROR.put(f"{error}." if isinstance(error, CnnLabError) else "The browser sent an invalid request.")


def carry_out(collection: Collection, action: dict[str, Any]) -> None:
    """Change ``collection`` as the browser asks: a class added or named, a burst recorded or removed.

    Raises CnnLabError for pictures that cannot be read or are too many; IndexError, KeyError and TypeError for what our
    script cannot have asked.
    """
    match action.get("what"):
        case "add":
            collection.add_class(str(action.get("name")))
        case "rename":
            collection.rename(action["place"], str(action.get("name")))
        case "undo":
            collection.remove_burst(action["place"])
        case "record":
            _record(collection, action["place"], action["frames"])


def _record(collection: Collection, place: int, frames: list[object]) -> None:
    files = [frame_bytes(frame) for frame in frames[: MAX_BURST + 1]]
    pictures = [read_frame(file) for file in files]
    if not pictures:
        raise DrawingError("the browser sent no picture")
    collection.add_burst(place, files, pictures[len(pictures) // 2])
