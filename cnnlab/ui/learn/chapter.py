"""The end of every chapter: links to the app's pages, a question, sources."""

from __future__ import annotations

import streamlit as st

from cnnlab.learn.chapters import Chapter
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.glossary_links import linked


def show_ending(chapter: Chapter) -> None:
    """Show links to the app's pages, a question to answer, and sources."""
    st.divider()
    lab, asked = st.columns(2, gap="large")
    with lab:
        st.subheader("Try it in the lab", anchor=False)
        for door in chapter.doors:
            frame.door(door.page, door.label, door.query)
    with asked:
        st.subheader("A question", anchor=False)
        st.markdown(linked(chapter.question))
        with st.expander("Sources"):
            st.markdown("\n".join(f"- [{source.what}]({source.address})" for source in chapter.sources))
