from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cnnlab.runs import index as module
from cnnlab.runs.entry import read_entry
from cnnlab.runs.index import Index, Known
from cnnlab.runs.store import RunStore
from tests.runs.made import made


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "store")


@pytest.fixture
def known(store: RunStore) -> dict[str, Known]:
    run = made(store)
    return {run.id: Known((1, 2), read_entry(run)), "damaged": Known((3, 4), None)}


def plain(known: dict[str, Known]) -> dict[str, object]:
    return {run_id: (one.stamp, one.entry and one.entry.row) for run_id, one in known.items()}


def changed(path: Path, command: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(command)


def test_what_is_saved_is_loaded_until_it_is_gone(store: RunStore, known: dict[str, Known]) -> None:
    assert Index(store.folder).load() == {}
    Index(store.folder).save(known, [])
    assert plain(Index(store.folder).load()) == plain(known)
    Index(store.folder).save({}, ["damaged", "unknown"])
    assert Index(store.folder).load().keys() == known.keys() - {"damaged"}
    assert Index(store.folder / "other").load() == {}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b"no database" * 500),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
        lambda path: changed(path, "UPDATE runs SET entry = '{'"),
        lambda path: changed(path, "UPDATE runs SET entry = '{\"row\": 1}'"),
        lambda path: changed(path, "UPDATE runs SET stamp = 'null'"),
        lambda path: changed(path, "PRAGMA user_version = 1"),
        Path.unlink,
    ],
)
def test_a_damaged_or_foreign_index_is_thrown_away(
    spoil: Callable[[Path], object], store: RunStore, known: dict[str, Known]
) -> None:
    index = Index(store.folder)
    index.save(known, [])
    spoil(index.path)
    assert index.load() == {}
    index.save(known, [])
    assert plain(index.load()) == plain(known)


def test_another_state_of_the_program_or_another_time_zone_starts_over(
    store: RunStore, known: dict[str, Known], monkeypatch: pytest.MonkeyPatch
) -> None:
    Index(store.folder).save(known, [])
    before = module.version()
    monkeypatch.setattr(module, "sources_digest", lambda: "another")
    assert module.version() != before
    assert Index(store.folder).load() == {}
    monkeypatch.undo()
    monkeypatch.setattr("time.timezone", 1234)
    assert module.version() != before


def test_where_it_cannot_be_written_there_is_none(
    store: RunStore, known: dict[str, Known], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path / "file"))
    index = Index(store.folder)
    index.save(known, [])
    assert index.load() == {}


def test_one_that_is_written_all_the_time_is_not_waited_for(
    store: RunStore, known: dict[str, Known], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    index = Index(store.folder)
    index.save(known, [])
    with closing(sqlite3.connect(index.path, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        index.save({}, list(known))
        assert index.load() == {}
    assert plain(index.load()) == plain(known)
