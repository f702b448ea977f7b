"""A live camera: its pictures go to the server one at a time, and answers to them come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import streamlit as st

from cnnlab.ui.shell.state import LIVE_CAMERA
from cnnlab.ui.widgets.camera_view import camera_view, rerun_fragment
from cnnlab.ui.widgets.component_files import joined
from cnnlab.ui.widgets.live_answers import LiveAnswer

LIVE_PART = "live-camera"  # key of the fragment that it is drawn in
_component = st.components.v2.component(
    "cnnlab_live_camera",
    html=f"""
<div class="camera live">
  <div>
    {camera_view("Pictures go to this app's server and are not stored.")}
    <p class="live-pace"></p>
  </div>
  <div class="live-answers"></div>
  <div class="live-spoken" aria-live="polite"></div>
</div>
""",
    css=joined("camera.css", "live_answers.css", "live_camera.css"),
    js=joined("camera.js", "live_answers.js", "live_camera.js"),
)


def latest_frame() -> Any:
    """Return what the browser sent last as its picture, of unknown form; None where it sent nothing just now."""
    state = LIVE_CAMERA.get()
    return state.frame if state else None


def live_camera(side: int, number: int, answers: Sequence[LiveAnswer]) -> None:
    """Show the camera, which sends squares of ``side`` pixels, with the answers to its picture of that ``number``.

    It is drawn in a fragment with LIVE_PART as its key; a click elsewhere that comes in one message with a picture has
    the whole page rerun.
    """
    data = {"side": side, "number": number, "answers": [asdict(answer) for answer in answers]}
    _component(
        data=data, key=LIVE_CAMERA.name, on_frame_change=lambda: rerun_fragment(LIVE_PART), on_page_change=st.rerun
    )
