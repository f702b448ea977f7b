"""What all chapters have: a head, a question to open and one to close, links to the app's pages, sources."""

from __future__ import annotations

from functools import partial

import streamlit as st

from cnnlab.learn.chapters import CHAPTERS, Chapter
from cnnlab.ui.learn.question import ask
from cnnlab.ui.learn.reading import reading
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.address import CHAPTER
from cnnlab.ui.shell.state import CHAPTER_FINISHED, CHAPTERS_READ

GLOSSARY, GLOSSARY_ICON = "glossary", ":material/menu_book:"  # its chapter name in the URL


def show_head(name: str) -> None:
    """Show the chapter's title, number, time and neighbours in one row, and the opening question."""
    chapter, names = CHAPTERS[name], list(CHAPTERS)
    place = frame.page("Learn", chapter.promise, title=chapter.title)
    with place.container(horizontal=True, vertical_alignment="center", gap="medium"):
        read = ":green[:material/check: read] · " if name in CHAPTERS_READ.get() else ""
        st.markdown(
            f":small[{read}Chapter {names.index(name) + 1} of {len(names)} · about {chapter.minutes} min]",
            width="content",
        )
        _neighbours(name, is_short=True)
    st.fragment(ask)(chapter.questions[0], f"learn.question.{name}.0")


def show_ending(name: str) -> None:
    """Show the closing question, links to the app's pages, sources, and the way to the other chapters."""
    chapter = CHAPTERS[name]
    st.divider()
    st.fragment(_closing)(name, chapter)
    lab, sources = st.columns(2, gap="large")
    with lab:
        st.header("Try it in the lab", anchor=False)
        for door in chapter.doors:
            frame.door(door.page, door.label, door.query)
    with sources, st.expander("Sources"):
        st.markdown("\n".join(f"- [{source.what}]({source.address})" for source in chapter.sources))
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        _neighbours(name)


def _closing(name: str, chapter: Chapter) -> None:
    """Ask the other questions, whose answers mark the chapter as read, and show the mark."""
    for number, question in enumerate(chapter.questions[1:], start=1):
        ask(question, f"learn.question.{name}.{number}", partial(_finish, name))
    reading(name, CHAPTER_FINISHED.take() == name)


def _finish(name: str) -> None:
    CHAPTER_FINISHED.put(name)


def _neighbours(name: str, *, is_short: bool = False) -> None:
    """Show links to the previous chapter, the list, the glossary, the next chapter; with their titles or not."""
    names = list(CHAPTERS)
    place = names.index(name)
    for before in names[:place][-1:]:
        label = "Previous" if is_short else f"Previous: {CHAPTERS[before].title}"
        frame.door("Learn", label, {CHAPTER.name: before}, ":material/arrow_back:")
    frame.door("Learn", "All chapters", {}, ":material/list:")
    if not is_short:
        frame.door("Learn", "Glossary", {CHAPTER.name: GLOSSARY}, GLOSSARY_ICON)
    for after in names[place + 1 :][:1]:
        label = "Next" if is_short else f"Next: {CHAPTERS[after].title}"
        frame.door("Learn", label, {CHAPTER.name: after}, ":material/arrow_forward:")
