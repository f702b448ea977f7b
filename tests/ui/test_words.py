"""The words that users read: plain English of today, and one format for numbers."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

PLAIN = {  # not: but
    r"[Bb]egin(s|ning)? (again|from)": "start over, reset, start from",
    r"anew": "again, differently each time",
    r"[Gg]o(es)? on|[Ww]ent on": "continue",
    r"[Hh]and(s|ed)? on": "export",
    r"[Mm]end(s|ed)?": "fix",
    r"[Rr]ightly": "correct",
    r"surest|[Ss]urely|surer": "confident",
    r"steer(s|ed)?": "guide, choose by",
    r"([Uu]n|[Tt])tick(s|ed)?|[Tt]ick (one|two|just|rows)": "clear, deselect, select",
    r"behind (it|its|the|their|them|each|a|an|of)\b(?! HTTPS)": "after",
    r"[Ll]ags? behind": "is weak",
    r"[Gg]iven? up": "stop",
    r"What was it\?": "Which digit did you draw?",
    r"What does it take for what": "Which classes does it confuse?",
    r"taken for": "read as, confused with",
    r"(asks|asked) for what cannot be": "has a setting that does not exist",
    r"cannot be told": "is unknown, cannot be compared",
    r"[Ww]hoever": "you, the administrator, or the passive",
    r"[Bb]rings? (each|every|all|it) .*to a like": "gives every map the same",
    r"a like mean": "the same mean",
    r"small machines": "layers",
    r"The truth:": "Measured:",
    r"Show it\b": "Input",
    r"What stays as it is": "Fixed settings",
    r"Share of the rest": "Fraction of training images used",
    r"Pixels become": "Pixel scaling",
    r"more a blot": "looks like a dot",
    r"The greyer": "Darker = higher",
    r"Farther than": "More unusual than",
    r"on the way back|the way back|way forward": "backward pass, forward pass",
    r"looks? (in|over) at": "reads",
    r"at the most": "at most",
    r"as (many|much) as there (is|are)": "all",
    r"none the less|nought|for ever": "still, zero, forever",
    r"Sees (\d|{).*": "Receptive field",
    r"(tells|told) of\b": "shows, means",
    r"[Nn]amed (right|wrong)": "right, wrong",
    r"[Ii]n the trap|[Nn]ext trap": "with the pitfall",
    r"begin(s)? with": "start with",
    r"could not begin|cannot begin": "could not start",
    r"is to learn": "to fine-tune",
    r"not here, or not any more": "does not exist here",
    r"([0-9]+|}) %(?![({])": "a percent sign without a space",
}
SHOWN = [ROOT / "app.py", *(ROOT / "pages").glob("*.py")]
SHOWN += [file for room in ("ui", "learn", "charts", "cli") for file in (ROOT / "cnnlab" / room).rglob("*.py")]
UNWANTED = re.compile(rf"(?<![\w-])(?:{'|'.join(PLAIN)})(?!\w)")
KEY = re.compile(r"[a-z0-9_.-]*")  # of a widget or a file, never shown


def _texts(file: Path) -> Iterator[tuple[int, str]]:
    """Yield line and content of each string of a source file but docstrings; of an f-string without its values."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    inner: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            inner.add(node.value)
        elif isinstance(node, ast.JoinedStr) and node not in inner:
            parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
            inner.update(part for part in ast.walk(node) if isinstance(part, ast.JoinedStr))
            inner.update(part for part in node.values if isinstance(part, ast.Constant))
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in inner:
            yield node.lineno, node.value


def _values(table: object) -> Iterator[str]:
    if isinstance(table, str):
        yield table
    elif isinstance(table, dict | list):
        for value in table.values() if isinstance(table, dict) else table:
            yield from _values(value)


def _unwanted(where: str, text: str) -> list[str]:
    if KEY.fullmatch(text):
        return []
    return [f"{where}: {found[0]!r} in {text!r}" for found in UNWANTED.finditer(text)]


def test_pages_and_commands_speak_plainly() -> None:
    found = [
        line
        for file in SHOWN
        for number, text in _texts(file)
        for line in _unwanted(f"{file.relative_to(ROOT)}:{number}", text)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", ["chapters", "glossary"])
def test_chapters_and_glossary_speak_plainly(name: str) -> None:
    table = tomllib.loads((ROOT / f"cnnlab/learn/{name}.toml").read_text(encoding="utf-8"))
    found = [line for text in _values(table) for line in _unwanted(f"{name}.toml", text)]
    assert not found, "\n".join(found)


def test_what_is_unwanted_is_found() -> None:
    for text in ("Hand on", "Untick all", "What was it?", "ReLU behind it", "Trials that lag behind", "95 % of them"):
        assert _unwanted("", text), text
    for text in ("Behind HTTPS", "go online", "a recommended size", "95% of them", "dashed line", "amended"):
        assert not _unwanted("", text), text
