"""What a report shows and what it would fetch."""

from __future__ import annotations

import re
from html.parser import HTMLParser

FETCHING = {"src", "href", "srcset", "data", "action", "poster", "background", "xlink:href"}


class Reader(HTMLParser):
    """Collects a page's words, its tags and all addresses in it."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.source = content.decode()
        self.feed(self.source)
        self.addresses += re.findall(r"url\(([^)]*)\)|@import", self.source)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attributes if name in FETCHING or name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def is_self_contained(self) -> bool:
        return all(address.startswith("data:image/") for address in self.addresses) and "script" not in self.tags
