from __future__ import annotations

import pytest

from cnnlab.data.datasets import DATASETS
from cnnlab.data.table import DIGITS
from cnnlab.ui.shell import frame


@pytest.mark.parametrize(
    ("dataset", "classes", "label"),
    [
        ("mnist-sample", DIGITS, "Draw a digit"),
        ("emnist-letters", DATASETS["emnist-letters"].classes, "Draw a character"),
        ("svhn", DIGITS, "Try a picture"),
        ("gone@1:12345678", DIGITS, "Draw a digit"),
        ("gone@1:12345678", ("cat", "dog"), "Try a picture"),
    ],
)
def test_the_link_to_draw_says_what_is_asked_there(
    dataset: str, classes: tuple[str, ...], label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    links: list[tuple[str, str]] = []
    monkeypatch.setattr(frame, "link", lambda page, text: links.append((page, text)))
    frame.link_to_draw(dataset, classes)
    assert links == [("Draw", label)]
