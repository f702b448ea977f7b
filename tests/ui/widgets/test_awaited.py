"""A computation that a page waits for: short, long, cancelled, failed."""

from __future__ import annotations

from threading import Event
from typing import Any
from uuid import uuid4

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.ui.widgets import awaited
from tests.pages.driver import button, checked, texts


def script() -> None:
    from collections.abc import Generator  # noqa: PLC0415

    import streamlit as st  # noqa: PLC0415

    from cnnlab.jobs.worker import Part, Worker  # noqa: PLC0415
    from cnnlab.ui.widgets.awaited import awaited, begun  # noqa: PLC0415

    state = st.session_state
    gate, fails = state.get("gate"), "fails" in state

    def steps() -> Generator[Part[str]]:
        yield Part(0.25)
        if gate:
            gate.wait()
        if fails:
            raise ValueError("no *more*")
        yield Part(1.0, "42")

    @st.cache_resource
    def work(name: str) -> Worker[Part[str]]:
        begins = begun(steps())
        state.work = begins
        return begins

    part = awaited("The search", work, state.name)
    if part:
        st.write(f"The answer is {part.result}.")


def opened(**state: object) -> AppTest:
    page = AppTest.from_function(script, default_timeout=30)
    for name, value in {"name": uuid4().hex, **state}.items():
        page.session_state[name] = value
    return page.run()


def test_a_short_one_is_there_at_once() -> None:
    page = checked(opened())
    assert "The answer is 42." in texts(page)
    assert not page.button


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(awaited, "AT_ONCE_SECONDS", 1e-9)
    gate = Event()
    yield gate
    gate.set()


def test_a_long_one_shows_progress_until_it_is_over(gate: Any) -> None:
    page = checked(opened(gate=gate))
    (progress,) = page.get("progress")
    assert progress.proto.value == 25
    assert "The answer" not in texts(page)
    gate.set()
    page.session_state["work"].join()
    assert "The answer is 42." in texts(checked(page.run()))


def test_a_cancelled_one_can_start_again(gate: Any) -> None:
    page = checked(opened(gate=gate))
    button(page, "Cancel").click().run()
    gate.set()
    page.session_state["work"].join()
    assert "stopped before its end" in texts(checked(page.run()))
    button(page, "Start again").click().run()
    page.session_state["work"].join()
    assert "The answer is 42." in texts(checked(page.run()))


def test_a_failed_one_says_so_and_can_start_again() -> None:
    page = opened(fails=True)
    assert "no \\*more\\*" in page.error[0].value
    del page.session_state["fails"]
    button(page, "Start again").click().run()
    assert "The answer is 42." in texts(checked(page))
