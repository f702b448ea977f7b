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
    knockout,
    machines,
    pitfalls,
    program,
    step,
)
from cnnlab.ui.learn.chapter import GLOSSARY, show_ending, show_head
from cnnlab.ui.learn.contents import contents
from cnnlab.ui.shell import address, frame
from cnnlab.ui.shell.address import CHAPTER

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
    "knockout": knockout.show,
    "cost": cost.show,
}


def learn() -> None:
    """Show the list of chapters, or the one that the URL names."""
    address.show_in_browser()
    name = CHAPTER.value()
    if name == GLOSSARY:
        frame.page("Learn", "The terms of the field, explained.", title="Glossary")
        glossary.show()
    elif name in CHAPTERS:
        show_head(name)
        st.fragment(SHOW[name])()
        show_ending(name)
    else:
        frame.page("Learn", "Convolutional networks in short chapters. The app computes every number.")
        if name is not None:
            st.warning("This chapter does not exist. Choose one of these:", icon=":material/link_off:")
        contents()
