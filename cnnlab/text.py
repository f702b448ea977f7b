"""Text that a page, a chart or a terminal shows: other people's, made harmless, reasons, and probabilities."""

from __future__ import annotations

import re
import unicodedata

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with what a spreadsheet begins to compute
_WORD, _ENDS = re.compile(r"[a-z'’-]+(?=[\s:,;]|$)"), (".", "!", "?")
_KEPT = {"\u200c", "\u200d"}  # zero-width characters that join letters and emoji, or separate them


def one_line(text: str) -> str:
    """Return ``text`` in one line without invisible characters: control characters and those of zero width.

    These include characters that change the writing direction, halves of surrogate pairs, and unassigned ones.
    """
    return "".join(filter(_is_seen, " ".join(text.split())))


def no_formula(value: object) -> object:
    """Return a cell of a table, marked as text by an apostrophe where a spreadsheet would compute it as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def without_password(text: str) -> str:
    """Return ``text`` without the name and password that an address in it may hold."""
    return re.sub(r"//[^/@\s]*@", "//", text)


def sentence(reason: str) -> str:
    """Return a reason as a sentence, with a capital and a full stop; empty where there is none.

    A reason that begins with a name, such as a file's, keeps its first letter.
    """
    if not reason:
        return ""
    start = reason[0].upper() if _WORD.match(reason) else reason[0]
    return f"{start}{reason[1:]}" + ("" if reason.endswith(_ENDS) else ".")


def file_name(title: str) -> str:
    """Return a title as a part of a file's name: letters, digits and hyphens, at most 60 characters."""
    return re.sub(r"[\W_]+", "-", title)[:60].strip("-")


def percent(probability: float) -> str:
    """Format a probability that a network gives: near certainty none is called full."""
    told = f"{probability:.1%}"
    return "> 99.9%" if told == "100.0%" else told


def _is_seen(letter: str) -> bool:
    is_character = ord(letter) & 0xFFFE != 0xFFFE
    return letter in _KEPT or (is_character and unicodedata.category(letter) not in ("Cc", "Cf", "Cs"))
