"""Glossary: terms with their meanings, the chapters that explain them, and where a text mentions them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter


@dataclass(frozen=True)
class Term:
    """A term of the field."""

    name: str
    meaning: str
    also: tuple[str, ...] = ()  # synonyms
    see: tuple[str, ...] = ()  # slugs of related terms
    chapter: str = ""  # of Learn
    is_everyday: bool = False  # too common to be linked from texts

    @property
    def slug(self) -> str:
        """The term as a part of a URL: "Batch norm" → batch-norm."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower().replace("'", "")).strip("-")


@dataclass(frozen=True)
class Mention:
    """The position of a term in a text."""

    term: Term
    start: int
    end: int


_FILE = Path(__file__).with_suffix(".toml")
TERMS = TypeAdapter(dict[str, Term]).validate_python(tomllib.loads(_FILE.read_text(encoding="utf-8")))

# Code, links, URLs, icons and formulas of a Markdown text, where no link may go.
_KEPT_OUT = re.compile(r'`[^`]*`|\[[^\]]*\]\((?:[^)"]|"[^"]*")*\)|https?://\S+|:material/\w+:|\$[^$]*\$')


def find(words: str) -> list[Term]:
    """Find the terms that contain all ``words`` in name, synonyms or meaning; matches in a name come first."""
    wanted = words.lower().split()
    found = [term for term in TERMS.values() if all(word in _text(term) for word in wanted)]
    return sorted(found, key=lambda term: not all(word in _names(term) for word in wanted))


def named(name: str) -> Term | None:
    """Find a term by its name or a synonym, everyday words included; None if there is none."""
    wanted = _singular(name)
    return next((term for term in TERMS.values() if wanted in map(_singular, (term.name, *term.also))), None)


def mentions(text: str, most: int) -> list[Mention]:
    """Find the first mention of each term in a Markdown ``text``, at most ``most``, in order of position.

    Everyday words are skipped.
    """
    seen: dict[str, Mention] = {}
    for found in _mentioned(text):
        seen.setdefault(found.term.slug, found)
        if len(seen) == most:
            break
    return list(seen.values())


def _mentioned(text: str) -> Iterator[Mention]:
    pattern, terms = _pattern()
    kept_out = [match.span() for match in _KEPT_OUT.finditer(text)]
    for match in pattern.finditer(text):
        if not any(start < match.end() and match.start() < end for start, end in kept_out):
            yield Mention(terms[_singular(match[1])], match.start(1), match.end(1))


@cache
def _pattern() -> tuple[re.Pattern[str], dict[str, Term]]:
    """Build a pattern that matches every name, longer ones first, and a table from name to term."""
    terms = {
        _singular(name): term for term in TERMS.values() if not term.is_everyday for name in (term.name, *term.also)
    }
    names: Sequence[str] = sorted(terms, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])((?:{'|'.join(map(re.escape, names))})s?)(?![\w-])", re.IGNORECASE), terms


def _singular(name: str) -> str:
    return name.lower().removesuffix("s")


def _names(term: Term) -> str:
    return " ".join((term.name, *term.also)).lower()


def _text(term: Term) -> str:
    return f"{_names(term)} {term.meaning.lower()}"
