"""What components with a camera share: the part that shows it, and how the page follows its pictures."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st
from streamlit.errors import StreamlitAPIException


def camera_view(hint: str) -> str:
    """Return the HTML that ``cameraIn`` of camera.js brings to life, with a ``hint`` where the picture will be."""
    return f"""
<div class="camera-view">
  <video muted playsinline hidden aria-label="What the camera shows"></video>
  <p class="camera-hint">{hint}</p>
</div>
<p class="camera-error" role="alert"></p>
<button type="button" class="camera-switch">Turn the camera on</button>
"""


def rerun_fragment(key: str) -> None:
    """Rerun, from a component's callback, the fragment with that ``key`` alone; nothing where its page was left.

    Where another callback of the same message asks for the whole page, that is rerun, and clicks in the message count:
    Streamlit drops them unless some callback names a fragment.
    """
    with suppress(StreamlitAPIException):
        st.rerun(key)
