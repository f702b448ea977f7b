"""What the browser says it keeps of guesses: taken with distrust, confirmed, cleared."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.driver import checked


def script() -> None:
    from types import SimpleNamespace  # noqa: PLC0415
    from unittest.mock import patch  # noqa: PLC0415

    import streamlit as st  # noqa: PLC0415

    from cnnlab.ui.widgets import guess_record  # noqa: PLC0415

    def component(*, data, key, on_kept_change, on_cleared_change):  # type: ignore[no-untyped-def]
        st.session_state["sent"] = data
        if "says" in st.session_state:
            st.session_state[key] = SimpleNamespace(kept=st.session_state.pop("says"))
            on_kept_change()
        if st.session_state.pop("clears", False):
            on_cleared_change()

    with patch.object(guess_record, "_component", component):
        guess_record.guess_record("here")


def says(page: AppTest, text: object) -> AppTest:
    page.session_state["says"] = text
    checked(page.run())
    return checked(page.run())


@pytest.fixture
def page() -> AppTest:
    return checked(AppTest.from_function(script, default_timeout=30).run())


def kept(habit: str, *ids: str) -> str:
    return json.dumps({"habit": habit, "scored": [{"id": one} for one in ids]})


ID = "0" * 16


def test_what_the_browser_keeps_is_told(page: AppTest) -> None:
    assert page.session_state["sent"]["known"] is None
    text = kept("show", ID)
    assert says(page, text).session_state["sent"]["known"] == text
    assert page.session_state["sent"]["told"].startswith("Your record: 1 guess.")


@pytest.mark.parametrize("wrong", [7, None, ["a"], "x" * 100_000])
def test_what_is_no_text_or_too_long_is_nothing(page: AppTest, wrong: object) -> None:
    assert says(page, wrong).session_state["sent"]["known"] == ""
    assert page.session_state["sent"]["told"] == ""


def test_a_habit_is_sent_until_the_browser_keeps_it(page: AppTest) -> None:
    page.session_state["guess.habit"] = "guess"
    assert says(page, kept("show")).session_state["sent"]["habit"] == "guess"
    assert says(page, kept("guess")).session_state["sent"]["habit"] == ""


def test_a_cleared_record_is_empty(page: AppTest) -> None:
    says(page, kept("guess", ID))
    page.session_state["clears"] = True
    page.run()
    assert checked(page.run()).session_state["sent"]["told"] == ""
