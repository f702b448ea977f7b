"""The glossary: the term that the URL names, a search, and all terms in alphabetical order."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

import streamlit as st

from cnnlab.learn.glossary import TERMS, Term, find
from cnnlab.ui.learn.chapter import GLOSSARY
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.address import TERM
from cnnlab.ui.shell.glossary_links import address


def show() -> None:
    """Show the term that the URL names, then the search results or all terms."""
    if asked := TERM.value():
        _answer(asked)
    words = st.text_input(
        "Search", placeholder="A term or words from its meaning", key="learn.glossary.search", max_chars=60
    )
    if not words.strip():
        _all()
    elif found := find(words):
        st.caption(frame.counted(len(found), "term"))
        _list(found, whole=False)
    else:
        st.info("No term contains these words: try fewer words or a part of one.", icon=":material/search_off:")


def _answer(slug: str) -> None:
    """Show the term with its links."""
    term = TERMS.get(slug)
    if term is None:
        st.info("The glossary does not have this term. Search below.", icon=":material/search_off:")
        return
    with st.container(border=True):
        st.header(term.name, anchor=False)
        st.markdown(_meaning(term))
        with st.container(horizontal=True):
            if term.chapter:
                frame.door("Learn", "Try it in its chapter", {"chapter": term.chapter})
            for other in term.see:
                frame.door("Learn", TERMS[other].name, {"chapter": GLOSSARY, TERM.name: other})
            frame.door("Learn", "All chapters", {})


def _all() -> None:
    """Show all terms below a line of letters that jump to them."""
    letters = {letter: list(terms) for letter, terms in groupby(TERMS.values(), lambda term: term.name[0].upper())}
    st.markdown(" · ".join(f"[{letter}](#{terms[0].slug})" for letter, terms in letters.items()))
    _list(TERMS.values(), whole=True)


def _list(terms: Iterable[Term], whole: bool) -> None:
    """Show each term with its meaning and links; within this page where the ``whole`` glossary is shown."""
    for term in terms:
        st.header(term.name, anchor=term.slug)
        see = (f"[{TERMS[other].name}]({f'#{other}' if whole else address(TERMS[other])})" for other in term.see)
        st.markdown(f"{_meaning(term)}  \n:small[See also {', '.join(see)}]")


def _meaning(term: Term) -> str:
    return f"{term.meaning} Also: {', '.join(term.also)}." if term.also else term.meaning
