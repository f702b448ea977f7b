"""Exported pages on disk, and networks to export that nobody trained."""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from cnnlab.export.portable import Portable, Preparation
from tests.export.portables import portable
from tests.samples import TINY

Opened = tuple[Page, list[str]]
_DATA = re.compile(r'(<script type="application/json" id="data">)(.*?)(</script>)', re.DOTALL)


def opened(new_page: Callable[..., Page], file: Path, content: bytes, width: int = 1440) -> Opened:
    """Open a page from a file; return it with the addresses that it asked for."""
    file.write_bytes(content)
    page = new_page(width)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    return page, asked


def untrained(classes: tuple[str, ...], preparation: Preparation = "photo", title: str = "Untrained") -> Portable:
    """A tiny network for colour images of 16×16, with random weights and nothing that it doubts but torn answers."""
    made = portable(TINY, (3, 16, 16), len(classes), preparation=preparation)
    familiar = replace(made.familiar, far=2.0)
    return replace(made, title=title, trained=replace(made.trained, classes=classes), familiar=familiar)


def changed(content: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """Return a page whose data were changed."""

    def replace(match: re.Match[str]) -> str:
        data = json.loads(match[2])
        change(data)
        return match[1] + json.dumps(data) + match[3]

    return _DATA.sub(replace, content.decode(), count=1).encode()


def with_other_weights(data: dict[str, Any]) -> None:
    """Negate the bytes of some weights in the middle of the first tensor."""
    numbers = bytearray(zlib.decompress(b64decode(data["tensors"])))
    _, rows, columns = data["forms"][0]
    middle = 2 * rows * columns - 40  # bytes of high weight in 16 bits
    for at in range(middle, middle + 30):
        numbers[at] ^= 0x80  # the sign
    data["tensors"] = b64encode(zlib.compress(bytes(numbers))).decode()
