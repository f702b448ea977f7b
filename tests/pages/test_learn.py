"""Learn around its chapters: the contents, the way from one to the next, doors and sources."""

from __future__ import annotations

import pytest

from cnnlab.learn.chapters import CHAPTERS
from cnnlab.ui.shell.glossary_links import linked
from cnnlab.ui.shell.menu import PAGES
from tests.pages.driver import open_chapter, texts


def test_an_unknown_chapter_leads_to_all_of_them() -> None:
    page = open_chapter("nothing")
    assert "This chapter does not exist." in texts(page)


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_opens_by_its_address_and_ends_with_a_question_and_sources(name: str) -> None:
    page = open_chapter(name)
    chapter = CHAPTERS[name]
    assert page.title[0].value == chapter.title
    assert linked(chapter.promise) in texts(page)
    assert all(source.address in texts(page) for source in chapter.sources)


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_has_doors_into_the_lab_and_sources_to_read(name: str) -> None:
    chapter = CHAPTERS[name]
    assert chapter.doors
    assert all(door.page in PAGES for door in chapter.doors)
    assert chapter.sources
    assert all(source.address.startswith("https://") for source in chapter.sources)
    assert "?" in chapter.question
