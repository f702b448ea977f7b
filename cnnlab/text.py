"""Text that strangers wrote: what of it a page, a chart or a terminal shows."""

from __future__ import annotations

import unicodedata

_KEPT = {"\u200c", "\u200d"}  # join letters and emoji, or keep them apart


def one_line(text: str) -> str:
    """Give ``text`` in one line, without what is not seen: control characters, and those without width.

    Among these are those that turn the direction of what follows, halves of surrogate pairs, and what is no character.
    """
    return "".join(filter(_is_seen, " ".join(text.split())))


def _is_seen(letter: str) -> bool:
    is_character = ord(letter) & 0xFFFE != 0xFFFE
    return letter in _KEPT or (is_character and unicodedata.category(letter) not in ("Cc", "Cf", "Cs"))
