"""Exported pages on disk, and networks to export that nobody trained."""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from playwright.sync_api import Page

from cnnlab.analysis.nearest import FeatureIndex
from cnnlab.analysis.ood import TrainingFeatures
from cnnlab.data.batches import Standardise
from cnnlab.export.portable import Examples, Portable, Preparation
from cnnlab.networks.build import build
from cnnlab.runs.trained import Trained
from tests.networks.random_weights import shake
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
    shape = (3, 16, 16)
    network = build(TINY, shape, len(classes))
    shake(network)
    trained = Trained(network.eval(), Standardise((0.5,) * 3, (0.25,) * 3), classes, shape, epoch=1)
    draws = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (10, *shape), generator=draws, dtype=torch.uint8)
    features = torch.randn(20, 18, generator=draws)
    return Portable(
        run="none",
        title=title,
        architecture=TINY,
        trained=trained,
        preparation=preparation,
        familiar=TrainingFeatures(FeatureIndex(features, torch.zeros(20, dtype=torch.long)), far=2.0, torn=0.5),
        examples=Examples(images, torch.arange(10) % len(classes), trained.probabilities(images)),
    )


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
