"""What the address asks for reaches the page, what the page chooses reaches the address."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from cnnlab.ui.shell.address import server_url


def choosing() -> None:
    import streamlit as st  # noqa: PLC0415

    from cnnlab.ui.shell.address import Param  # noqa: PLC0415
    from cnnlab.ui.shell.state import Key  # noqa: PLC0415

    part, chosen = Param("part"), Key("chosen", "")
    part.choice(["first", "second"], chosen, "There is no such part.")
    st.selectbox("Part", ["first", "second"], key=chosen.name, on_change=part.take, args=[chosen])


def listing() -> None:
    import streamlit as st  # noqa: PLC0415

    from cnnlab.ui.shell import address  # noqa: PLC0415

    known = address.RUNS.values({"a", "b"})
    st.write(",".join(known), address.RUNS.value())
    st.button("Keep", on_click=address.RUNS.put, args=known)
    st.button("Forget", on_click=address.drop, args=[["runs", "sweep"]])


def following() -> None:
    import streamlit as st  # noqa: PLC0415

    from cnnlab.ui.shell import address, state  # noqa: PLC0415

    state.note_visit(st.text_input("Page"))
    st.write("new" if address.is_new("form", st.text_input("Asked")) else "known")


def opened(script: object, **query: str) -> AppTest:
    page = AppTest.from_function(script, default_timeout=30)  # type: ignore[arg-type]
    for name, value in query.items():
        page.query_params[name] = value
    return page.run()


def said(page: AppTest) -> str:
    assert not page.exception
    return str(page.markdown[0].value)


@pytest.mark.parametrize(("asked", "chosen"), [("second", "second"), ("third", "first"), ("", "first")])
def test_the_address_chooses_and_what_it_cannot_have_is_told(asked: str, chosen: str) -> None:
    page = opened(choosing, part=asked)
    assert page.selectbox[0].value == chosen
    assert [warning.value for warning in page.warning] == ["There is no such part."] * (asked == "third")


def test_what_is_chosen_stands_in_the_address_and_stays() -> None:
    page = opened(choosing)
    page.selectbox[0].set_value("second").run()
    assert page.query_params["part"] == "second"
    assert page.run().selectbox[0].value == "second"


def test_values_are_those_that_are_known_and_can_be_put_back_or_dropped() -> None:
    page = opened(listing, runs="b,nothing,a", other="stays")
    assert said(page) == "b,a b,nothing,a"
    page.button[0].click().run()
    assert page.query_params["runs"] == "b,a"
    page.button[1].click().run()
    assert "runs" not in page.query_params
    assert page.query_params["other"] == "stays"


def test_a_link_is_followed_once_for_each_coming_to_the_page() -> None:
    page = opened(following)
    assert said(page) == "new"
    assert said(page.run()) == "known"
    page.text_input[1].set_value("something else").run()
    assert said(page) == "new"
    page.text_input[0].set_value("another page").run()
    assert said(page) == "new"


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("http://lab.test:8501/Train", "http://lab.test:8501"),
        ("https://school.test/lab/Train/?run=1", "https://school.test/lab"),
        ("https://school.test/lab/", "https://school.test/lab"),
        (None, ""),
    ],
)
def test_links_for_others_begin_with_the_servers_url(
    url: str | None, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "context", SimpleNamespace(url=url))
    assert server_url("Train") == server
