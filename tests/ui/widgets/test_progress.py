"""An experiment on a page: not begun, at work, over, stopped, failed, of other settings."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.jobs.worker import Worker
from tests.pages.driver import button, checked, texts


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


def test_stopped_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    page = begin(opened())
    monkeypatch.setattr(Worker, "is_cancelled", True)  # as where it was before its last step
    assert "Stopped before its end." in texts(page.run())


def test_one_that_fails_tells_why_as_plain_text() -> None:
    page = opened()
    page.number_input[0].set_value(0).run()
    begin(page)
    assert [error.value for error in page.error] == [r"ValueError\: there is \*nothing\* to count\."]


def guessing() -> None:
    from collections.abc import Generator  # noqa: PLC0415
    from dataclasses import dataclass  # noqa: PLC0415

    import streamlit as st  # noqa: PLC0415

    from cnnlab.learn.guesses import Ask, Guessable, Outcome  # noqa: PLC0415
    from cnnlab.ui.widgets.progress import trial  # noqa: PLC0415

    @dataclass(frozen=True)
    class Count:
        number: int
        done: float

    def counting() -> Generator[Count]:
        yield from (Count(1, 0.5), Count(2, 1.0))

    def outcome(count: Count) -> Outcome | None:
        return Outcome({"": float(count.number)}) if count.done == 1 else None

    trial(
        "counting",
        "Count",
        0,
        counting,
        lambda count: st.write(f"Counted to {count.number}."),
        "Press Count.",
        guess=Guessable(Ask("count", "How far does it count?", amount="To"), outcome),
    )


@pytest.mark.parametrize("is_guessed", [True, False])
def test_a_guess_never_holds_up_the_button_and_is_scored_at_the_end(is_guessed: bool) -> None:
    page = AppTest.from_function(guessing, default_timeout=30)
    page.session_state["guess.habit"] = "guess"
    checked(page.run())
    assert [info.value for info in page.info] == ["Press Count."]
    if is_guessed:
        page.number_input[0].set_value(3)
        button(page, "Guess").click().run()
    checked(begin(page))
    assert "Counted to 2." in texts(page)
    assert ("You guessed 3, it was 2 points" in texts(page).replace("\\", "")) == is_guessed
    assert not page.number_input
