"""Text that the app did not write, made to stand in Streamlit's Markdown as it was typed."""

from __future__ import annotations

import re

from cnnlab.text import one_line

_JOINER = "\u2060"  # takes no room, and keeps apart what Streamlit would make something of
_MARKS = re.compile(r"[\\`*_{}\[\]()<>#+\-.!|~:$&]")

# Addresses, icons, emoji and arrows are looked for in what escapes leave, so that only a gap helps.
_GAPS = re.compile(
    r"(?<=:)(?!\d\d(?!\w)|\s|$)"  # https://…, mailto:…, :material/home:, :smile:, :red[…]; but no time of day
    r"|(?<=www)(?=\.)"
    r"|(?<=@)(?=\S)"
    r"|(?<=<)(?=-)|(?<=[-<>~])(?=[->=])",  # <-, ->, --, <=, >=, ~=
    re.IGNORECASE,
)


def literal(text: str) -> str:
    """Write ``text`` as Markdown, in one line, that shows it as it was typed and does nothing else.

    Whatever a stranger can write passes through here: titles, descriptions, names, notes, errors that quote them.
    Choices of select boxes, cells of tables and code are no Markdown: Streamlit shows them as they are.
    """
    return _MARKS.sub(r"\\\g<0>", _GAPS.sub(_JOINER, one_line(text)))
