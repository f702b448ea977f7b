"""Every chapter is whole, and its doors lead to designs that can be opened."""

from __future__ import annotations

import pytest

from cnnlab.learn.chapters import CHAPTERS, Door, Question
from cnnlab.learn.teachers_sheet import teachers_sheet
from cnnlab.networks.designs import from_link
from cnnlab.networks.presets import PRESETS
from cnnlab.ui.learn import SHOW


def test_every_chapter_is_drawn_and_nothing_else() -> None:
    assert list(SHOW) == list(CHAPTERS)


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_says_what_its_reader_does_and_how_long_it_takes(name: str) -> None:
    chapter = CHAPTERS[name]
    assert chapter.title
    assert chapter.icon.startswith(":material/")
    assert chapter.promise.endswith(".")
    assert 5 <= chapter.minutes <= 20
    assert chapter.doors


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_opens_and_closes_with_a_question_and_its_answer(name: str) -> None:
    assert len(CHAPTERS[name].questions) == 2
    for question in CHAPTERS[name].questions:
        assert question.asks.endswith("?")
        assert len(set(question.answers)) == 3
        assert any(sign.isdigit() for sign in question.reveal)


def test_a_question_whose_right_answer_is_none_of_the_three_is_refused() -> None:
    with pytest.raises(ValueError, match="none of the answers"):
        Question("How many?", ("1", "2", "3"), "4", "It is 4.")


def test_the_teachers_sheet_has_every_question_with_its_answer_and_link() -> None:
    sheet = teachers_sheet("http://localhost:8501/Learn")
    for name, chapter in CHAPTERS.items():
        assert f"<http://localhost:8501/Learn?chapter={name}>" in sheet
        for question in chapter.questions:
            letter = "ABC"[question.answers.index(question.right)]
            assert f"- {letter}. {question.right}" in sheet
            assert f"Answer: {letter}. {question.reveal}" in sheet


def test_a_preset_stands_in_the_query_of_its_door() -> None:
    link = Door("Design", "See it", preset="small-vgg").query["design"]
    assert from_link(link).layers == PRESETS["small-vgg"].layers
