"""A question to guess: three answers, then the right one, the number and where to see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import streamlit as st

from cnnlab.learn.chapters import Question
from cnnlab.ui.shell.glossary_links import linked


def ask(question: Question, key: str, on_answer: Callable[[], None] | Literal["rerun"] = "rerun") -> None:
    """Show the question, and after a guess what is right and why; the guess can be changed."""
    with st.container(border=True, gap="xsmall"):
        st.markdown(f":small[:primary[:material/lightbulb:] **Guess first.** {question.asks}]")
        guess = st.radio(
            question.asks,
            question.answers,
            index=None,
            horizontal=True,
            label_visibility="collapsed",
            key=key,
            on_change=on_answer,
            persist_state="session",
        )
        if guess == question.right:
            st.markdown(f":green[:material/check_circle:] **Right.** {linked(question.reveal)}")
        elif guess:
            st.markdown(f":orange[:material/lightbulb_2:] **Not quite: {question.right}.** {linked(question.reveal)}")
