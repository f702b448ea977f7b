"""Text of strangers as Markdown; what a real browser makes of it is seen in test_browser_strangers."""

from __future__ import annotations

import re

import pytest

from cnnlab.text import one_line
from cnnlab.ui.shell.literal import literal

JOINER = "\u2060"


def shown(markdown: str) -> str:
    """What Markdown without any markup shows: escapes are undone, and joiners take no room."""
    return re.sub(r"\\(.)", r"\1", markdown).replace(JOINER, "")


@pytest.mark.parametrize(
    "text",
    [
        "My net 2",
        "![x](http://a.example/x.png) [log in](https://a.example) <https://a.example>",
        "<img src=x onerror=y> <a href='x'>y</a> &amp; &#60;",
        "**b** _i_ ~~s~~ `c` $x^2$ | a | # h 1. x - y + z > q [^1]",
        ":red[x] :red-badge[y] :material/home: :smile: :+1: :100: :streamlit:",
        "www.a.example me@a.example mailto:me@a.example HTTP://A.EXAMPLE",
        "-> <- <-> -- >= <= ~=",
        "\\ \\[x\\] 日本語 العربية 👩\u200d🔬",
    ],
)
def test_text_is_shown_as_it_was_typed(text: str) -> None:
    assert shown(literal(text)) == text


@pytest.mark.parametrize(
    "found",
    [
        # What Streamlit looks for in the text that escapes leave.
        r"https?://",
        r"www\.",
        r"\S@\w",
        r":material[/_]\w+:",
        r":[\w+-]+:",
        r"<->|->|<-|--|>=|<=|~=",
    ],
)
def test_nothing_is_left_that_streamlit_replaces_behind_escapes(found: str) -> None:
    text = "http://a https://b WWW.c d@e.f :material/g: :material_h: :i: :+1: :100: <-> -> <- -- >= <= ~="
    assert re.search(found, text, re.IGNORECASE)
    assert not re.search(found, re.sub(r"\\(.)", r"\1", literal(text)), re.IGNORECASE)


def test_every_mark_is_escaped() -> None:
    marks = "\\`*_{}[]()<>#+-.!|~:$&"
    assert literal(marks).replace(JOINER, "") == "".join(f"\\{mark}" for mark in marks)


def test_what_is_typed_every_day_gets_no_joiner() -> None:
    assert JOINER not in literal("Compact on mnist-sample, 28 Nov 12:36:33, relu1: 8 of 10 (80 %)")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\n\n# b\r\n\tc\u2028d", "a # b c d"),
        ("exe\u202egnp.jpg", "exegnp.jpg"),
        ("\u2066a\u2069\u200f", "a"),
        ("pass\u200bword\ufeff\u00ad\u2060", "password"),
        ("a\x00\x1b[31mb\x7f", "a[31mb"),
        ("half \ud83d of a pair", "half  of a pair"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_text_becomes_one_line_without_what_is_not_seen(text: str, line: str) -> None:
    assert one_line(text) == line
    assert shown(literal(text)) == line
