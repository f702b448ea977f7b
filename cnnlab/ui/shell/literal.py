"""Escaping of text by users, so that Streamlit's Markdown shows it as typed."""

from __future__ import annotations

import re

from cnnlab.text import one_line

_JOINER = "\u2060"  # has no width, and separates what Streamlit would interpret
_MARKS = re.compile(r"[\\`*_{}\[\]()<>#+\-.!|~:$&]")

# Streamlit interprets URLs, icons, emoji and arrows even after escapes, so only a separator helps.
_GAPS = re.compile(
    r"(?<=:)(?!\d\d(?!\w)|\s|$)"  # https://…, mailto:…, :material/home:, :smile:, :red[…]; but no time of day
    r"|(?<=www)(?=\.)"
    r"|(?<=@)(?=\S)"
    r"|(?<=<)(?=-)|(?<=[-<>~])(?=[->=])",  # <-, ->, --, <=, >=, ~=
    re.IGNORECASE,
)


def literal(text: str) -> str:
    """Escape ``text`` as one line of Markdown that shows it as typed and does nothing else.

    Apply it to everything that users can write: titles, descriptions, names, notes, errors that quote them. Choices of
    select boxes, cells of tables and code are not Markdown: Streamlit shows them as they are.
    """
    return _MARKS.sub(r"\\\g<0>", _GAPS.sub(_JOINER, one_line(text)))
