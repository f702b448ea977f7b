from __future__ import annotations

import pytest
import streamlit as st
from streamlit.errors import StreamlitAPIException

from cnnlab.ui.widgets.camera_view import rerun_fragment


def test_a_picture_that_arrives_after_its_page_was_left_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def rerun(key: str) -> None:
        asked.append(key)
        raise StreamlitAPIException(f"No fragment found for target '{key}'")

    monkeypatch.setattr(st, "rerun", rerun)
    rerun_fragment("gone")
    assert asked == ["gone"]
