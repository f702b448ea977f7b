"""Titles, texts, links and sources of the chapters of Learn; the pages draw the content."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from cnnlab.networks.designs import to_link
from cnnlab.networks.presets import PRESETS


@dataclass(frozen=True)
class Source:
    """A paper or another source."""

    what: str  # authors, year, title
    address: str


@dataclass(frozen=True)
class Door:
    """A link to a page of the app with everything set up: the page and the parameters of its URL."""

    page: str
    label: str
    query: dict[str, str] = field(default_factory=dict)
    preset: str = ""  # opened in Design

    def __post_init__(self) -> None:
        if self.preset:
            self.query["design"] = to_link(PRESETS[self.preset])


@dataclass(frozen=True)
class Question:
    """A question to guess the answer of, before it is revealed."""

    asks: str
    answers: tuple[str, str, str]
    right: str  # one of them
    reveal: str  # why, the number, and where to see it

    def __post_init__(self) -> None:
        if self.right not in self.answers:
            raise ValueError(f"{self.right!r} is none of the answers to {self.asks!r}")


@dataclass(frozen=True)
class Chapter:
    """A chapter's data, without the code that draws it."""

    title: str
    icon: str
    promise: str  # what the reader does
    minutes: int  # about how long it takes
    questions: tuple[Question, ...]  # the first opens the chapter, the others close it
    sources: tuple[Source, ...]
    doors: tuple[Door, ...]


_FILE = Path(__file__).with_suffix(".toml")
CHAPTERS = TypeAdapter(dict[str, Chapter]).validate_python(tomllib.loads(_FILE.read_text(encoding="utf-8")))
