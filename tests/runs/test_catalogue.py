from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from threading import Thread

import pytest

from cnnlab.files import COARSE
from cnnlab.people.rights import ADMINISTRATOR, Person
from cnnlab.runs import catalogue as module
from cnnlab.runs.catalogue import Catalogue, search, settings_of, table
from cnnlab.runs.entry import Entry, read_entry, to_json
from cnnlab.runs.index import Index
from cnnlab.runs.listing import Listing
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import About
from cnnlab.training.config import RunConfig
from tests.runs.made import made
from tests.samples import lesson


def only(entries: Listing) -> Entry:
    (entry,) = entries
    return entry


def ids(entries: Listing) -> list[str]:
    return [entry.id for entry in entries]


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "store")


@pytest.fixture
def nothing_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what points to a change makes a run be looked at, as with thousands of runs."""
    monkeypatch.setattr(module, "CHECKED_EACH_TIME", 0)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the runs whose files are read."""
    read: list[str] = []

    def counted(run: Run) -> Entry:
        read.append(run.id)
        return read_entry(run)

    monkeypatch.setattr(module, "read_entry", counted)
    return read


def test_it_lists_readable_runs_the_newest_first(store: RunStore) -> None:
    for name in ("20260101-000000-a", "20260102-000000-b", "20260103-000000-c"):
        made(store).folder.rename(store.folder / name)
    (store.folder / "20260102-000000-b" / "config.json").write_text("{")
    assert [run_id[-1] for run_id in ids(Catalogue(store).entries())] == ["c", "a"]
    assert not Catalogue(RunStore(store.folder / "nothing")).entries()


def test_it_reads_again_only_what_has_changed(store: RunStore) -> None:
    runs = [made(store) for _ in range(3)]
    catalogue = Catalogue(store)
    before = catalogue.entries()
    assert catalogue.entries() is before
    runs[1].write_about(About(title="new"))
    after = catalogue.entries().by_id
    assert [after[run.id] is before.by_id[run.id] for run in runs] == [True, False, True]
    assert after[runs[1].id].title == "new"
    store.delete(runs[0].id)
    assert len(catalogue.entries()) == 2


@pytest.mark.usefixtures("nothing_in_turn")
def test_what_the_app_or_a_file_manager_does_to_runs_is_seen_at_once(store: RunStore) -> None:
    first, second = made(store), made(store)
    here, elsewhere = Catalogue(store), Catalogue(store)
    for catalogue in (here, elsewhere):
        assert len(catalogue.entries()) == 2
    first.change_about(title="Renamed")
    assert [catalogue.entries().by_id[first.id].title for catalogue in (here, elsewhere)] == ["Renamed", "Renamed"]
    store.delete(second.id)
    assert ids(here.entries()) == [first.id]
    store.restore(second.id)
    assert ids(here.entries()) == [second.id, first.id]
    copied = Path(shutil.copytree(first.folder, store.folder / "20200101-by-hand"))
    assert ids(here.entries()) == [second.id, first.id, copied.name]
    shutil.rmtree(copied)
    shutil.rmtree(second.folder)
    assert ids(here.entries()) == ids(elsewhere.entries()) == [first.id]


@pytest.mark.usefixtures("nothing_in_turn")
def test_a_run_that_arrives_in_the_instant_of_a_listing_is_not_missed(store: RunStore) -> None:
    made(store)
    catalogue = Catalogue(store)
    catalogue.entries()
    instant = store.folder.stat().st_mtime_ns
    made(store)
    os.utime(store.folder, ns=(instant, instant))  # a clock of coarse ticks
    assert len(catalogue.entries()) == 2


@pytest.mark.usefixtures("nothing_in_turn")
def test_a_settled_folder_is_not_listed_again(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    made(store)
    long_ago = time.time_ns() - 2 * COARSE
    os.utime(store.folder, ns=(long_ago, long_ago))
    catalogue = Catalogue(store)
    before = catalogue.entries()
    monkeypatch.setattr(module, "ids_in", lambda *_: pytest.fail("it was listed"))
    assert catalogue.entries() is before


def test_a_file_changed_by_hand_is_noticed_in_turn(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [made(store, About(title="old")) for _ in range(5)]
    monkeypatch.setattr(module, "CHECKED_EACH_TIME", 2)
    catalogue = Catalogue(store)
    catalogue.entries()
    for run in runs:
        path = run.folder / "about.json"
        path.write_text(path.read_text().replace("old", "new"))
        os.utime(path, ns=(1, 1))
    seen = [sum(entry.title == "new" for entry in catalogue.entries()) for _ in range(3)]
    assert seen == [2, 4, 5]


def test_what_nothing_points_to_is_looked_at_after_a_pause(store: RunStore) -> None:
    run, now = made(store, About(title="old")), [0.0]
    catalogue = Catalogue(store, pause=1.0, clock=lambda: now[0])
    catalogue.entries()
    assert only(catalogue.entries()).title == "old"
    path = run.folder / "about.json"
    path.write_text(path.read_text().replace("old", "by hand"))
    assert only(catalogue.entries()).title == "old"
    run.write_about(About(title="by the app"))
    assert only(catalogue.entries()).title == "by the app"
    path.write_text(path.read_text().replace("the app", "hand"))
    now[0] = 1.0
    assert only(catalogue.entries()).title == "by hand"


def test_weights_make_a_run_a_trained_one(store: RunStore, finished_run: Run) -> None:
    run = made(store)
    catalogue = Catalogue(store)
    assert not only(catalogue.entries()).is_trained
    run.save_weights(1, finished_run.weights(1))
    assert only(catalogue.entries()).is_trained


@pytest.mark.usefixtures("nothing_in_turn")
def test_a_training_is_followed_and_a_killed_one_is_seen_as_interrupted(store: RunStore, finished_run: Run) -> None:
    run = store.create(RunConfig())
    catalogue = Catalogue(store)
    with run.held():
        assert only(catalogue.entries()).status == "running"
        run.save_weights(1, finished_run.weights(1))
        assert only(catalogue.entries()).last_saved == 1
    assert only(catalogue.entries()).status == "interrupted"
    assert only(Catalogue(store).entries()).status == "interrupted"


def test_another_process_reads_no_files_of_runs_that_are_as_before(store: RunStore, read: list[str]) -> None:
    runs = [made(store) for _ in range(4)]
    (runs[3].folder / "config.json").write_text("{")
    before = Catalogue(store).entries()
    runs[1].change_about(title="new", tags=("a", "b"))
    store.delete(runs[0].id)
    read.clear()
    after = Catalogue(store).entries()
    assert read == [runs[1].id]
    assert ids(after) == [runs[2].id, runs[1].id]
    assert to_json(after.by_id[runs[2].id]) == to_json(before.by_id[runs[2].id])
    assert after.by_id[runs[2].id].row.keys() == after.by_id[runs[1].id].row.keys()
    read.clear()
    again = Catalogue(store).entries()
    assert not read
    assert (again[1].title, again[1].row["Tags"]) == ("new", ["a", "b"])
    assert again[1].config == runs[1].config
    assert again.once(table).equals(after.once(table))


def test_a_run_that_trains_is_not_written_to_the_index(store: RunStore) -> None:
    run = made(store, status="running")
    with run.held():
        assert only(Catalogue(store).entries()).status == "running"
    assert Index(store.folder).load() == {}


def test_an_index_that_goes_or_is_damaged_meanwhile_changes_nothing(store: RunStore) -> None:
    runs = [made(store) for _ in range(2)]
    catalogue = Catalogue(store)
    catalogue.entries()
    index = Index(store.folder).path
    spoils: list[Callable[[], object]] = [
        index.unlink,
        lambda: index.write_bytes(b"damaged" * 1000),
        lambda: shutil.rmtree(index.parent),
    ]
    for spoil in spoils:
        spoil()
        runs[0].change_about(title=f"{time.time_ns()}")
        titles = {entry.title for entry in catalogue.entries()}
        assert titles == {entry.title for entry in Catalogue(store).entries()}
        assert runs[0].about.title in titles


def test_threads_and_processes_may_list_while_runs_change(store: RunStore) -> None:
    runs = [made(store) for _ in range(5)]
    shared = Catalogue(store)
    other = get_context("spawn").Process(target=_rename, args=[store.folder, [run.id for run in runs[:2]]])
    other.start()
    threads = [Thread(target=shared.entries) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(10):
        runs[2].change_about(title=f"Mine {number}")
        Catalogue(store).entries()
    store.delete(runs[3].id)
    for thread in threads:
        thread.join()
    other.join()
    assert other.exitcode == 0
    for entries in (shared.entries(), Catalogue(store).entries()):
        assert [entry.about.title for entry in entries] == ["", "Mine 9", "Theirs 9", "Theirs 9"]
        assert [entry.row["Title"] for entry in entries][1:] == ["Mine 9", "Theirs 9", "Theirs 9"]


def _rename(store: Path, run_ids: list[str]) -> None:
    catalogue = Catalogue(RunStore(store))
    for number in range(10):
        for run_id in run_ids:
            Run(store / run_id).change_about(title=f"Theirs {number}")
        catalogue.entries()


def test_viewable_runs_have_weights_and_ended_or_are_ones_own(store: RunStore, finished_run: Run) -> None:
    done, other, running = (made(store, dataset=name) for name in ("mnist-sample", "mnist", "mnist-sample"))
    made(store)
    for run in (done, other, running):
        run.save_weights(1, finished_run.weights(1))
    running.write_summary(running.summary.model_copy(update={"status": "running"}))
    with running.held():
        runs = Catalogue(store).entries()
        assert ids(runs.viewable({"mnist-sample"}, None)) == [done.id]
        assert ids(runs.viewable({"mnist-sample"}, running.id)) == [running.id, done.id]
        assert ids(runs.viewable({"mnist-sample", "mnist"}, done.id)) == [other.id, done.id]
        assert runs.viewable({"mnist-sample"}, other.id) is runs.viewable({"mnist-sample"}, None)


def test_members_view_their_own_runs_and_shown_ones_visitors_only_that_of_their_link(
    store: RunStore, finished_run: Run
) -> None:
    ada, bob, visitor = Person("member", "a" * 32), Person("member", "b" * 32), Person("visitor")
    nobodys, hidden, shown = made(store), made(RunStore(store.folder, ada.id)), made(RunStore(store.folder, ada.id))
    for run in (nobodys, hidden, shown):
        run.save_weights(1, finished_run.weights(1))
    catalogue = Catalogue(store)

    def seen(person: Person, own: str | None = None) -> list[str]:
        return ids(catalogue.entries().viewable({"mnist-sample"}, own, person))

    assert seen(bob) == []
    shown.show(True)
    assert (seen(ada), seen(bob)) == ([shown.id, hidden.id], [shown.id])
    assert seen(Person("teacher")) == seen(ADMINISTRATOR) == [shown.id, hidden.id, nobodys.id]
    assert (seen(visitor), seen(visitor, shown.id), seen(visitor, hidden.id)) == ([], [shown.id], [])
    assert seen(Person("stranger"), shown.id) == []
    shown.show(False)
    assert seen(bob) == []
    assert [entry.owner for entry in Catalogue(store).entries()] == [ada.id, ada.id, ""]  # also from the index


def test_what_is_asked_of_all_runs_is_computed_once(store: RunStore) -> None:
    made(store)
    catalogue = Catalogue(store)
    asked: list[Listing] = []
    for _ in range(2):
        catalogue.entries().once(asked.append)
    assert len(asked) == 1
    made(store)
    catalogue.entries().once(asked.append)
    assert [len(runs) for runs in asked] == [1, 2]


def test_a_table_has_a_column_for_each_setting(store: RunStore) -> None:
    made(store)
    rows = table(Catalogue(store).entries())
    assert len(settings_of(rows)) == len(RunConfig.model_fields) - 2
    assert table([]).empty
    assert list(table([]).columns) == list(rows.columns)


@pytest.mark.parametrize(
    ("words", "found"),
    [("", 2), ("FASHION", 1), ("mnist", 2), ("mnist quick", 1), ("lucky", 1), ("note", 1), ("nothing", 0), (".*", 0)],
)
def test_search_finds_every_word_in_title_tags_note_network_or_data(words: str, found: int, store: RunStore) -> None:
    made(store, About(tags=("Lucky",), note="a\nnote"), architecture="quick")
    made(store, dataset="fashion-mnist")
    assert len(search(table(Catalogue(store).entries()), words)) == found


def test_search_finds_taught_runs(store: RunStore) -> None:
    made(store, parent="20260101-000000-abc@7", lessons=[lesson()])
    assert len(search(table(Catalogue(store).entries()), "taught")) == 1
