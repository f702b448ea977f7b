"""What a chapter is, and what all have around them: the way to others, doors into the lab, a question, sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import streamlit as st

from cnnlab.networks.architecture import Draft
from cnnlab.networks.designs import to_link
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.glossary_links import linked


@dataclass(frozen=True)
class Source:
    """A paper, or what stands for one."""

    what: str  # who, when, title
    address: str


@dataclass(frozen=True)
class Door:
    """A way into the lab with everything set up: a page and what its address says."""

    page: str
    label: str
    query: Mapping[str, str] = field(default_factory=dict)


def design(draft: Draft) -> dict[str, str]:
    """What Design's address says to open with ``draft``."""
    return {"design": to_link(draft)}


@dataclass(frozen=True)
class Chapter:
    """A chapter: what draws it, and what stands around it."""

    show: Callable[[], None]
    title: str
    icon: str
    promise: str  # what its reader does
    question: str  # to answer by experiment
    sources: tuple[Source, ...]
    doors: tuple[Door, ...]


def show_ending(chapter: Chapter) -> None:
    """What a reader does next: into the lab, a question, where to read on."""
    st.divider()
    lab, asked = st.columns(2, gap="large")
    with lab:
        st.subheader("Into the lab", anchor=False)
        for door in chapter.doors:
            frame.door(door.page, door.label, door.query)
    with asked:
        st.subheader("A question", anchor=False)
        st.markdown(linked(chapter.question))
        with st.expander("Sources"):
            st.markdown("\n".join(f"- [{source.what}]({source.address})" for source in chapter.sources))
