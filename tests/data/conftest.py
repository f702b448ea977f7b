"""Nothing that one test loads is known to the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cnnlab.data import download
from cnnlab.data.torchvision_compat import datasets


@pytest.fixture(autouse=True)
def nothing_cached() -> Iterator[None]:
    yield
    download._memory.clear()


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every download fails at once: the port is closed."""
    monkeypatch.setattr(datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])
