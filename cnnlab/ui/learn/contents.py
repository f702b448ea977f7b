"""The list of chapters: a card for each, which of them were read, a sheet for teachers."""

from __future__ import annotations

import streamlit as st

from cnnlab.learn.chapters import CHAPTERS
from cnnlab.learn.teachers_sheet import TITLE, teachers_sheet
from cnnlab.ui.learn.chapter import GLOSSARY, GLOSSARY_ICON
from cnnlab.ui.learn.reading import reading
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.address import CHAPTER
from cnnlab.ui.shell.state import CHAPTERS_READ
from cnnlab.ui.widgets.guess_record import guess_record

ROW = 3  # cards beside each other


def contents() -> None:
    """Show the progress, a card for each chapter, the glossary, and the sheet for teachers."""
    if read := CHAPTERS_READ.get():
        st.progress(len(read) / len(CHAPTERS), text=f":small[{len(read)} of {len(CHAPTERS)} read]", width=360)
    numbered = list(enumerate(CHAPTERS.items(), start=1))
    for first in range(0, len(numbered), ROW):
        for column, (number, (name, chapter)) in zip(st.columns(ROW), numbered[first : first + ROW], strict=False):
            with column.container(border=True, height="stretch", gap="xsmall"):
                frame.door("Learn", f"**{number}. {chapter.title}**", {CHAPTER.name: name}, chapter.icon)
                st.caption(chapter.promise)
                done = " · :green[:material/check: read]" if name in read else ""
                st.markdown(f":small[About {chapter.minutes} min{done}]")
    with st.container(horizontal=True):
        frame.door("Learn", "Glossary: the terms explained", {CHAPTER.name: GLOSSARY}, GLOSSARY_ICON)
        st.download_button(
            TITLE,
            teachers_sheet((st.context.url or "Learn").split("?")[0]),
            "cnn-lab-questions.md",
            "text/markdown",
            key="learn.teachers",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
        )
    reading()
    guess_record("contents")
