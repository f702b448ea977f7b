"""The pages of Learn, a module per chapter; texts and order are in ``cnnlab/learn/chapters.toml``."""

from __future__ import annotations

import streamlit as st

from cnnlab.learn.chapters import CHAPTERS
from cnnlab.ui.learn import (
    ablation,
    conv2d,
    convolution,
    cost,
    few_pictures,
    flatten,
    glossary,
    machines,
    pitfalls,
    program,
    step,
)
from cnnlab.ui.learn.chapter import show_ending
from cnnlab.ui.shell import address, frame
from cnnlab.ui.shell.address import CHAPTER
from cnnlab.ui.shell.glossary_links import explain

SHOW = {
    "convolution": convolution.show,
    "conv2d": conv2d.show,
    "machines": machines.show,
    "flatten": flatten.show,
    "step": step.show,
    "program": program.show,
    "traps": pitfalls.show,
    "ablation": ablation.show,
    "transfer": few_pictures.show,
    "cost": cost.show,
}

_GLOSSARY_ICON = ":material/menu_book:"


def learn() -> None:
    """Show the list of chapters, or the one that the URL names."""
    address.show_in_browser()
    name = CHAPTER.value()
    if name == glossary.NAME:
        frame.page("Learn", "The terms of the field, explained.", title="Glossary")
        glossary.show()
        return
    if name is not None and name not in CHAPTERS:
        frame.page("Learn", "Convolutional networks in short chapters.")
        st.warning("This chapter does not exist. Choose one of these:", icon=":material/link_off:")
        _contents()
        return
    if name is None:
        frame.page("Learn", "Convolutional networks in short chapters. The app computes every number live.")
        _contents()
        return
    chapter = CHAPTERS[name]
    frame.page("Learn", chapter.promise, title=chapter.title)
    explain(chapter.promise)
    st.fragment(SHOW[name])()
    show_ending(chapter)
    _neighbours(name)


def _contents() -> None:
    """Show a card for each chapter."""
    numbered = list(enumerate(CHAPTERS.items(), start=1))
    for first in range(0, len(numbered), 3):
        for column, (number, (name, chapter)) in zip(st.columns(3), numbered[first : first + 3], strict=False):
            with column.container(border=True, height="stretch"):
                frame.door("Learn", f"**{number}. {chapter.title}**", {CHAPTER.name: name}, chapter.icon)
                st.caption(chapter.promise)
    frame.door("Learn", "Glossary: the terms explained", {CHAPTER.name: glossary.NAME}, _GLOSSARY_ICON)


def _neighbours(name: str) -> None:
    """Show links to the previous chapter, the list, the glossary, the next chapter."""
    names = list(CHAPTERS)
    place = names.index(name)
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        for before in names[:place][-1:]:
            frame.door("Learn", f"Previous: {CHAPTERS[before].title}", {CHAPTER.name: before}, ":material/arrow_back:")
        frame.door("Learn", "All chapters", {})
        frame.door("Learn", "Glossary", {CHAPTER.name: glossary.NAME}, _GLOSSARY_ICON)
        for after in names[place + 1 :][:1]:
            frame.door("Learn", f"Next: {CHAPTERS[after].title}", {CHAPTER.name: after}, ":material/arrow_forward:")
