"""Things that are too many for one picture, page by page."""

from __future__ import annotations

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.ui.widgets.figure import as_csv
from tests.pages.driver import checked


def script() -> None:
    import streamlit as st  # noqa: PLC0415

    from cnnlab.ui.widgets.figure import paged  # noqa: PLC0415

    count = st.session_state.count
    st.write(list(range(count))[paged(count, 3, "things")])


@pytest.mark.parametrize(("count", "first"), [(1, [0]), (3, [0, 1, 2]), (4, [0, 1, 2]), (7, [0, 1, 2])])
def test_the_first_are_shown_and_buttons_only_where_there_are_more(count: int, first: list[int]) -> None:
    page = AppTest.from_function(script)
    page.session_state["count"] = count
    checked(page.run())
    assert page.json[0].value == str(first)
    assert len(page.get("pagination")) == (count > 3)


def test_another_page_shows_the_next() -> None:
    page = AppTest.from_function(script)
    page.session_state["count"] = 7
    page.session_state["things.3"] = 3
    assert checked(page.run()).json[0].value == "[6]"


def test_no_name_becomes_a_formula_of_a_spreadsheet() -> None:
    table = pd.DataFrame({"Name": ["=1+1", "Bob, jr", None], "Change": [-0.5, 0.25, 0.0], "@sum": ["+1", "a=b", "-"]})
    assert as_csv(table).splitlines() == ["Name,Change,'@sum", "'=1+1,-0.5,'+1", '"Bob, jr",0.25,a=b', ",0.0,'-"]
