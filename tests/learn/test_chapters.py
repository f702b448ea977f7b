"""Every chapter is whole, and its doors lead to designs that can be opened."""

from __future__ import annotations

import pytest

from cnnlab.learn.chapters import CHAPTERS, Door
from cnnlab.networks.designs import from_link
from cnnlab.networks.presets import PRESETS
from cnnlab.ui.learn import SHOW


def test_every_chapter_is_drawn_and_nothing_else() -> None:
    assert list(SHOW) == list(CHAPTERS)


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_says_what_its_reader_does_and_asks_a_question(name: str) -> None:
    chapter = CHAPTERS[name]
    assert chapter.title
    assert chapter.icon.startswith(":material/")
    assert chapter.promise.endswith(".")
    assert "?" in chapter.question
    assert chapter.doors


def test_a_preset_stands_in_the_query_of_its_door() -> None:
    link = Door("Design", "See it", preset="small-vgg").query["design"]
    assert from_link(link).layers == PRESETS["small-vgg"].layers
