from __future__ import annotations

import pytest

from cnnlab.text import file_name, percent, sentence, without_password


@pytest.mark.parametrize(
    ("probability", "told"),
    [(0.0004, "0.0%"), (0.976, "97.6%"), (0.9994, "99.9%"), (0.9996, "> 99.9%"), (1.0, "> 99.9%")],
)
def test_near_certainty_is_never_called_full(probability: float, told: str) -> None:
    assert percent(probability) == told


def test_an_address_is_told_without_its_password() -> None:
    assert without_password("no answer from http://ada:secret@host:5000/a") == "no answer from http://host:5000/a"
    assert without_password("file:///runs/a@b") == "file:///runs/a@b"


def test_a_reason_becomes_a_sentence_and_none_stays_none() -> None:
    assert sentence("MNIST is gone: download it") == "MNIST is gone: download it."
    assert sentence("this needs 2 MB") == "This needs 2 MB."
    assert sentence("") == ""


@pytest.mark.parametrize(
    ("title", "name"),
    [("Read digits in six epochs", "Read-digits-in-six-epochs"), ("../Übung: 3/4*", "Übung-3-4"), ("a" * 90, "a" * 60)],
)
def test_a_title_becomes_a_part_of_a_files_name(title: str, name: str) -> None:
    assert file_name(title) == name
