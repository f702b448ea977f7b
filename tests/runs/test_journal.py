from __future__ import annotations

from pathlib import Path

import pytest

from cnnlab.runs import journal
from cnnlab.runs.journal import Reader, note


def test_a_reader_learns_of_each_run_noted_since_it_asked(tmp_path: Path) -> None:
    note(tmp_path, "before")
    reader = Reader(tmp_path)
    assert reader.news() == set()
    for run_id in ("a", "b", "a"):
        note(tmp_path, run_id)
    assert reader.news() == {"a", "b"}
    assert reader.news() == set()


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    path = tmp_path / ".journal"
    path.write_bytes(b"a\nhal")
    assert reader.news() == {"a"}
    with path.open("ab") as file:
        file.write(b"f\n")
    assert reader.news() == {"half"}


def test_a_full_journal_starts_over_and_readers_know_that_they_missed_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "LONGEST", 10)
    reader = Reader(tmp_path)
    note(tmp_path, "12345")
    assert reader.news() == {"12345"}
    note(tmp_path, "67890")
    assert not (tmp_path / ".journal").exists()
    assert reader.news() is None
    note(tmp_path, "a")
    assert reader.news() == {"a"}


def test_where_it_cannot_be_written_nothing_is_noted(tmp_path: Path) -> None:
    (tmp_path / ".journal").mkdir()
    reader = Reader(tmp_path)
    note(tmp_path, "a")
    note(tmp_path / "nowhere", "a")
    assert reader.news() == set()
