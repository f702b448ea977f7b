"""Learn around its chapters: the contents, the way from one to the next, questions, doors and sources."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.learn.chapters import CHAPTERS
from cnnlab.ui.shell.glossary_links import linked
from cnnlab.ui.shell.menu import PAGES
from tests.pages.driver import PAGES as SCRIPTS
from tests.pages.driver import button, checked, new_session, open_chapter, open_page, texts


def links(page: AppTest) -> list[str]:
    return [link.proto.label for link in page.get("page_link")]


def test_an_unknown_chapter_leads_to_all_of_them() -> None:
    page = open_chapter("nothing")
    assert "This chapter does not exist." in texts(page)


def test_the_list_has_every_chapter_with_its_time_and_a_sheet_for_teachers() -> None:
    page = open_page("Learn")
    for number, chapter in enumerate(CHAPTERS.values(), start=1):
        assert f"**{number}. {chapter.title}**" in links(page)
        assert f"About {chapter.minutes} min" in texts(page)
    assert "for teachers" in str(page.get("download_button")[0])
    assert ":material/check: read" not in texts(page)


def test_the_list_ticks_what_the_browser_says_was_read() -> None:
    page = open_page("Learn")
    page.session_state["learn.read"] = ["step", "cost"]
    page.run()
    assert texts(checked(page)).count(":material/check: read") == 2
    assert "2 of 11 read" in str(page.get("progress")[0].proto)
    page.query_params["chapter"] = "step"
    assert "Chapter 5 of 11 · about 10 min" in texts(checked(page.run()))
    assert ":material/check: read" in texts(page)


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_has_a_head_questions_to_guess_and_sources(name: str) -> None:
    page = open_chapter(name)
    chapter, names = CHAPTERS[name], list(CHAPTERS)
    assert page.title[0].value == chapter.title
    assert f"Chapter {names.index(name) + 1} of 11 · about {chapter.minutes} min" in texts(page)
    assert {"Previous", "All chapters", "Next"} - set(links(page)) == (
        {"Previous"} if name == names[0] else {"Next"} if name == names[-1] else set()
    )
    assert page.title[0].proto.help == chapter.promise
    assert all(source.address in texts(page) for source in chapter.sources)
    first, last = (page.radio(key=f"learn.question.{name}.{number}") for number in (0, 1))
    assert not any(linked(question.reveal) in texts(page) for question in chapter.questions)
    opening, closing = chapter.questions
    wrong = next(answer for answer in opening.answers if answer != opening.right)
    first.set_value(wrong)
    last.set_value(closing.right).run()
    assert f"**Not quite: {opening.right}.** {linked(opening.reveal)}" in texts(page)
    assert f"**Right.** {linked(closing.reveal)}" in texts(page)


def test_the_chart_of_the_filters_waits_until_it_was_guessed_or_asked_for() -> None:
    page = new_session(chapter="knockout")
    page.session_state["guess.habit"] = ""
    page.session_state["guess.kept"] = ""  # from a browser that keeps nothing yet
    checked(page.switch_page(SCRIPTS["Learn"]).run())
    assert not page.get("plotly_chart")
    assert "Only one filter of conv3 is off." in texts(page)
    button(page, "Show").click().run()
    assert checked(page).get("plotly_chart")


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_has_doors_into_the_lab_and_sources_to_read(name: str) -> None:
    chapter = CHAPTERS[name]
    assert chapter.doors
    assert all(door.page in PAGES for door in chapter.doors)
    assert chapter.sources
    assert all(source.address.startswith("https://") for source in chapter.sources)
