"""Links from the app's own texts to the glossary; texts by users are not linked."""

from __future__ import annotations

import streamlit as st

from cnnlab.learn.glossary import Term, mentions, named

MOST = 3  # links per text: more would make it hard to read


def linked(text: str, title: str = "") -> str:
    """Link the first mention of each of the first MOST terms in Markdown ``text`` to its meaning, shown on hover.

    If the ``title`` is a term that the text does not mention, append a link to it.
    """
    found = mentions(text, MOST)
    parts, at = [], 0
    for mention in found:
        word = text[mention.start : mention.end]
        parts += [text[at : mention.start], _link(word, mention.term)]
        at = mention.end
    parts.append(text[at:])
    term = named(title)
    if term and term not in [mention.term for mention in found]:
        parts.append(f" Glossary: {_link(title.lower(), term)}.")
    return "".join(parts)


def explain(text: str, title: str = "") -> None:
    """Show small text with links to the glossary, as ``linked`` makes them; in a caption links would be too pale."""
    st.markdown(f":small[{linked(text, title)}]")


def _link(word: str, term: Term) -> str:
    meaning = term.meaning.replace("\\", "").replace('"', "”").replace("`", "")
    return f'[{word}]({address(term)} "{meaning}")'


def address(term: Term) -> str:
    """Return the URL of the term in the glossary, from any page and below any base path."""
    return f"Learn?chapter=glossary&term={term.slug}"
