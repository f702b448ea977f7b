from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st  # noqa: PLC0415

    from cnnlab.ui.shell.flash import say, tell  # noqa: PLC0415

    kind = st.selectbox("Kind", ["toast", "success", "warning", "error"])
    st.button("Act", on_click=say, args=["here", "Done: *all* of [it](x)", kind])
    tell("elsewhere")
    tell("here", title="It failed")


@pytest.mark.parametrize("kind", ["toast", "success", "warning", "error"])
def test_what_a_click_came_to_is_told_once_as_typed_and_in_its_place(kind: str) -> None:
    app = AppTest.from_function(page).run()
    app.selectbox[0].set_value(kind).run()
    assert not (app.toast or app.success or app.warning or app.error)
    app.button[0].click().run()
    assert not app.exception
    (told,) = getattr(app, kind)
    assert "all" in told.value
    assert "*all*" not in told.value
    assert not (app.run().toast or app.success or app.warning or app.error)
