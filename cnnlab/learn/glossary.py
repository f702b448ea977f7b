"""The terms of the app: what each means, where it is explained at length, and where a text mentions one."""

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
    """A word of the field."""

    name: str
    meaning: str
    also: tuple[str, ...] = ()  # other words for it
    see: tuple[str, ...] = ()  # other terms' slugs
    chapter: str = ""  # of Learn
    is_everyday: bool = False  # too common a word to be linked from texts

    @property
    def slug(self) -> str:
        """The term in an address: "Batch norm" → batch-norm."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower().replace("'", "")).strip("-")


@dataclass(frozen=True)
class Mention:
    """Where a text mentions a term."""

    term: Term
    start: int
    end: int


_FILE = Path(__file__).with_suffix(".toml")
TERMS = TypeAdapter(dict[str, Term]).validate_python(tomllib.loads(_FILE.read_text(encoding="utf-8")))

# Code, links, addresses, icons and formulas of a Markdown text: no place for a link.
_KEPT_OUT = re.compile(r"`[^`]*`|\[[^\]]*\]\([^)]*\)|https?://\S+|:material/\w+:|\$[^$]*\$")


def find(words: str) -> list[Term]:
    """Terms that have all ``words`` in name, other names or meaning, those with them in a name first."""
    wanted = words.lower().split()
    found = [term for term in TERMS.values() if all(word in _text(term) for word in wanted)]
    return sorted(found, key=lambda term: not all(word in _names(term) for word in wanted))


def named(name: str) -> Term | None:
    """The term that is called so, everyday words included."""
    wanted = _singular(name)
    return next((term for term in TERMS.values() if wanted in map(_singular, (term.name, *term.also))), None)


def mentions(text: str, most: int) -> list[Mention]:
    """The first mention of each term in a Markdown ``text``, ``most`` of them at the most, in their order.

    Everyday words are passed over.
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
    """What finds any term's names, longer ones first, and the term of each."""
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
