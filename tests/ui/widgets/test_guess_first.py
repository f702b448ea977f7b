"""A guess before a result: not asked, asked, guessed, skipped, not wanted, and known from before."""

from __future__ import annotations

import json
from typing import Any

from streamlit.testing.v1 import AppTest

from cnnlab.learn.guesses import Ask
from tests.pages.driver import button, checked, texts

ID = Ask("test", "").id


def script() -> None:
    import streamlit as st  # noqa: PLC0415

    from cnnlab.learn.guesses import Ask, Outcome  # noqa: PLC0415
    from cnnlab.ui.widgets.guess_first import guess_first  # noqa: PLC0415

    ask = Ask("test", "Which is better?", ("<b>a</b>", "b"), "By how many points?", classes=("3", "5"))
    truth = st.number_input("Truth", value=2.0)
    is_there, waits = st.toggle("There", True), st.toggle("Waits", True)

    def outcome() -> Outcome:
        return Outcome({"<b>a</b>": truth, "b": -truth}, {"3": 1.0, "5": 2.0})

    if guess_first("here", ask, outcome if is_there else None, waits=waits):
        st.markdown("The result.")


def opened(habit: str | None = "", scored: list[dict[str, Any]] | None = None) -> AppTest:
    """The page once the browser has said what it keeps; before, where the habit is None."""
    page = AppTest.from_function(script, default_timeout=30)
    if habit is not None:
        page.session_state["guess.kept"] = json.dumps({"habit": habit, "scored": scored or []})
    return checked(page.run())


def guessed(page: AppTest, choice: str | None, amount: float | None, label: str | None) -> AppTest:
    page.radio[0].set_value(choice)
    page.number_input(key=f"guess.amount.{ID}").set_value(amount)
    page.selectbox[0].set_value(label)
    return button(page, "Guess").click().run()


def sent(page: AppTest) -> dict[str, Any]:
    """What the browser is to keep and to show."""
    (component,) = page.get("bidi_component")
    data: dict[str, Any] = json.loads(component.proto.json)
    return data


def labels(page: AppTest) -> list[str]:
    return [one.label for one in page.button]


def test_until_the_browser_says_what_it_keeps_nothing_is_shown_or_asked() -> None:
    page = opened(None)
    assert "The result." not in texts(page)
    assert labels(page) == []


def test_a_reader_who_has_not_said_is_asked_in_one_line_and_once() -> None:
    page = opened()
    assert "The result." not in texts(page)
    assert labels(page) == ["Guess first", "Show"]
    button(page, "Show").click().run()
    assert "The result." in texts(checked(page))
    assert sent(page)["habit"] == "show"
    page = opened("show")
    assert "The result." in texts(page)
    assert labels(page) == ["Guess first"]


def test_a_result_that_need_not_wait_is_shown_to_who_has_not_said() -> None:
    page = opened(None)
    page.toggle[1].set_value(False)
    page.session_state["guess.kept"] = ""
    assert "The result." in texts(checked(page.run()))


def test_a_guess_is_scored_beside_the_result_and_added_to_the_record() -> None:
    page = opened()
    button(page, "Guess first").click().run()
    assert "The result." not in texts(checked(page))
    guessed(page, "<b>a</b>", 3.5, "3")
    assert "The result." in texts(checked(page))
    told = texts(page).replace("\\", "").replace("\u2060", "")
    assert "**Right: <b>a</b>.** You guessed 3.5, it was 2 points: 1.5 too high." in told
    assert "Class 5 differs most; 3 is number 2 of 2." in told
    assert sent(page)["added"] == [{"id": ID, "right": True, "off": 1.5, "rank": 2}]
    assert sent(page)["told"].startswith("Your record: 1 guess, 1 of 1 right")
    page.number_input[0].set_value(9.0).run()  # a setting of the page
    assert "it was 2 points" in texts(page)
    assert sent(page)["added"] == [{"id": ID, "right": True, "off": 1.5, "rank": 2}]


def test_a_guess_of_what_is_not_there_yet_is_scored_when_it_is() -> None:
    page = opened("guess")
    page.toggle[0].set_value(False).run()
    assert "Skip" not in labels(page)
    guessed(page, "b", None, None)
    assert "scored once the result is complete" in texts(checked(page))
    page.toggle[0].set_value(True).run()
    assert "**Not quite" in texts(checked(page))
    assert [one["right"] for one in sent(page)["added"]] == [False]


def test_an_empty_guess_and_one_beyond_all_bounds_are_told() -> None:
    page = opened("guess")
    button(page, "Guess").click().run()
    assert "Choose or type your guess" in page.error[0].value
    guessed(page, "b", 1e9, None)
    assert "Type a number from" in page.error[0].value
    assert "The result." not in texts(page)


def test_a_skipped_result_is_shown_and_the_next_one_waits() -> None:
    page = opened("guess")
    button(page, "Skip").click().run()
    assert "The result." in texts(checked(page))
    assert "The next new one waits" in texts(page)
    assert sent(page)["added"] == []


def test_who_does_not_want_to_guess_any_more_is_not_asked() -> None:
    page = opened("guess")
    button(page, "Stop asking").click().run()
    assert "The result." in texts(checked(page))
    assert sent(page)["habit"] == "show"


def test_what_was_guessed_before_is_shown() -> None:
    page = opened("guess", [{"id": ID, "right": True}])
    assert "The result." in texts(page)
    assert sent(page)["told"].startswith("Your record: 1 guess")
