from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from cnnlab.people.belonging import FILE, NOBODYS, Belonging, belonging_of, give, show

ADA = "a" * 32


def test_a_folder_is_whose_it_was_given_to_and_shown_until_it_is_hidden(tmp_path: Path) -> None:
    assert belonging_of(tmp_path) == NOBODYS
    give(tmp_path, ADA)
    assert belonging_of(tmp_path) == Belonging(owner=ADA)
    show(tmp_path, True)
    assert belonging_of(tmp_path) == Belonging(owner=ADA, is_shown=True)
    show(tmp_path, False)
    assert belonging_of(tmp_path) == Belonging(owner=ADA)


def test_what_is_nobodys_has_no_file(tmp_path: Path) -> None:
    give(tmp_path, "")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", ["", "[]", '{"owner": "ada"}', '{"owner": 7}', " " * 2_000])
def test_a_damaged_file_is_nobodys_and_shows_nothing(content: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(content)
    assert belonging_of(tmp_path) == NOBODYS


def test_only_an_id_can_own(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        give(tmp_path, "visitor")
