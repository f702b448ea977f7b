"""The chapters of Learn: what stands around each; what draws it is the page's."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from cnnlab.networks.designs import to_link
from cnnlab.networks.presets import PRESETS


@dataclass(frozen=True)
class Source:
    """A paper, or what stands for one."""

    what: str  # who, when, title
    address: str


@dataclass(frozen=True)
class Door:
    """A way into the lab with everything set up: a page and what its address says."""

    page: str
    label: str
    query: dict[str, str] = field(default_factory=dict)
    preset: str = ""  # that Design opens with

    def __post_init__(self) -> None:
        if self.preset:
            self.query["design"] = to_link(PRESETS[self.preset])


@dataclass(frozen=True)
class Chapter:
    """A chapter without what draws it."""

    title: str
    icon: str
    promise: str  # what its reader does
    question: str  # to answer by experiment
    sources: tuple[Source, ...]
    doors: tuple[Door, ...]


_FILE = Path(__file__).with_suffix(".toml")
CHAPTERS = TypeAdapter(dict[str, Chapter]).validate_python(tomllib.loads(_FILE.read_text(encoding="utf-8")))
