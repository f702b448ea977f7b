"""Parts that tick: how often, until when, and the page once when it is over."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cnnlab.ui.shell import poll


class RerunError(Exception):
    """Where Streamlit would draw the whole page."""


class Browser:
    """Ticks as a browser would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds: float | None = None
        self.name = ""
        self.drawn: list[str] = []
        monkeypatch.setattr("streamlit.fragment", self._fragment)
        monkeypatch.setattr("streamlit.rerun", self._rerun)

    def _fragment(self, tick: Callable[[], None], run_every: float | None) -> Callable[[], None]:
        self.tick, self.seconds, self.name = tick, run_every, tick.__qualname__
        return tick

    def _rerun(self) -> None:
        raise RerunError

    def draw(self, *what: str) -> None:
        self.drawn += what


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    return Browser(monkeypatch)


def test_it_ticks_while_it_works_and_draws_the_page_when_it_is_over(browser: Browser) -> None:
    working = [True]
    poll.follow(lambda: working[0], 0.5, browser.draw, "a", "b")
    browser.tick()
    assert browser.seconds == 0.5
    assert browser.drawn == ["a", "b", "a", "b"]
    working[0] = False
    with pytest.raises(RerunError):
        browser.tick()
    assert len(browser.drawn) == 4


def test_what_is_over_is_drawn_once_and_ticks_when_it_begins_again(browser: Browser) -> None:
    working = [False]
    poll.follow(lambda: working[0], 0.5, browser.draw, "result")
    browser.tick()  # a click in it
    assert browser.seconds is None
    assert browser.drawn == ["result", "result"]
    working[0] = True
    with pytest.raises(RerunError):
        browser.tick()


def test_what_ended_between_the_pages_look_and_its_drawing_is_not_missed(browser: Browser) -> None:
    with pytest.raises(RerunError):
        poll.until_over(lambda: False, 0.5, browser.draw, "a")
    assert not browser.drawn


def test_another_pace_draws_the_page_again(browser: Browser) -> None:
    pace: list[float | None] = [0.5]
    poll.paced(lambda: pace[0], browser.draw, "a")
    browser.tick()
    pace[0] = 4.0
    with pytest.raises(RerunError):
        browser.tick()


def test_parts_are_told_apart_by_what_draws_them(browser: Browser) -> None:
    poll.follow(lambda: True, 0.5, browser.draw, "a")
    assert browser.name == "Browser.draw"
