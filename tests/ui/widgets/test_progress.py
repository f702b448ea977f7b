"""An experiment on a page: not begun, at work, over, stopped, failed, of other settings."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest

from tests.pages.driver import checked, texts


def script() -> None:
    from collections.abc import Generator  # noqa: PLC0415
    from dataclasses import dataclass  # noqa: PLC0415

    import streamlit as st  # noqa: PLC0415

    from cnnlab.ui.widgets.progress import trial  # noqa: PLC0415

    @dataclass(frozen=True)
    class Count:
        number: int
        done: float

    last = st.number_input("Count to", 0, 10, 3)

    def counting() -> Generator[Count]:
        for number in range(1, last + 1):
            yield Count(number, number / last)
        if not last:
            raise ValueError("there is *nothing* to count")

    trial("counting", "Count", last, counting, lambda count: st.write(f"Counted to {count.number}."), "Press Count.")


def opened() -> AppTest:
    return checked(AppTest.from_function(script, default_timeout=30).run())


def begin(page: AppTest) -> AppTest:
    """Press the button, wait until the experiment is over, look again."""
    page.button(key="counting.begin").click().run()
    work(page).join()
    return page.run()


def work(page: AppTest) -> Any:
    return page.session_state["learn.trials"]["counting"].work


def test_before_it_begins_it_says_what_to_do() -> None:
    page = opened()
    assert [info.value for info in page.info] == ["Press Count."]
    assert "Counted" not in texts(page)


def test_when_it_is_over_its_last_step_stays_and_it_can_begin_again() -> None:
    page = checked(begin(opened()))
    assert "Counted to 3." in texts(page)
    assert not page.button(key="counting.begin").disabled
    assert "Counted to 3." in texts(page.run())


def test_results_of_other_settings_are_told_to_be() -> None:
    page = begin(opened())
    assert "settings before" not in texts(page)
    page.number_input[0].set_value(4).run()
    assert "Counted to 3." in texts(page)
    assert "settings before" in texts(page)
    assert "settings before" not in texts(begin(page))


def test_stopped_it_says_so() -> None:
    page = begin(opened())
    work(page).cancel()
    assert "Stopped before its end." in texts(page.run())


def test_one_that_fails_tells_why_as_plain_text() -> None:
    page = opened()
    page.number_input[0].set_value(0).run()
    begin(page)
    assert [error.value for error in page.error] == [r"ValueError\: there is \*nothing\* to count\."]
