from __future__ import annotations

from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st  # noqa: PLC0415

    from cnnlab.ui.widgets.undo import offer_undo  # noqa: PLC0415

    def undo(*args: object) -> None:
        st.session_state["undone"] = args

    offer_undo("Removed: 2 runs.", "undo", undo, "a", ["b", "c"])


def test_what_was_removed_is_said_and_comes_back_by_a_click() -> None:
    app = AppTest.from_function(page).run()
    assert app.caption[0].value == "Removed: 2 runs."
    app.button(key="undo").click().run()
    assert app.session_state["undone"] == ("a", ["b", "c"])
