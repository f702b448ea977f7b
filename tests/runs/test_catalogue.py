from __future__ import annotations

import os
from pathlib import Path

import pytest

from cnnlab.networks.architecture import summarise
from cnnlab.networks.presets import PRESETS
from cnnlab.runs.catalogue import Catalogue, Entry, flat, macs, search, settings_of, table
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import About
from cnnlab.training.config import RunConfig
from tests.samples import lesson

SHAPE = (1, 28, 28)


def made(store: RunStore, about: About | None = None, **fields: object) -> Run:
    run = store.create(RunConfig.model_validate(fields))
    described = {"status": "finished", "classes": tuple("0123456789"), "shape": SHAPE, "test_accuracy": 0.5}
    described |= {"mean": (0.5,), "std": (0.5,)}
    run.write_summary(run.summary.model_copy(update=described))
    if about:
        run.write_about(about)
    return run


def only(entries: list[Entry]) -> Entry:
    (entry,) = entries
    return entry


def test_it_lists_readable_runs_the_newest_first(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    for name in ("20260101-000000-a", "20260102-000000-b", "20260103-000000-c"):
        made(store).folder.rename(tmp_path / name)
    (tmp_path / "20260102-000000-b" / "config.json").write_text("{")
    assert [entry.id[-1] for entry in Catalogue(store).entries()] == ["c", "a"]
    assert Catalogue(RunStore(tmp_path / "nothing")).entries() == []


def test_it_reads_again_only_what_has_changed(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    runs = [made(store) for _ in range(3)]
    catalogue = Catalogue(store)
    before = {entry.id: entry for entry in catalogue.entries()}
    runs[1].write_about(About(title="new"))
    after = {entry.id: entry for entry in catalogue.entries()}
    assert [after[run.id] is before[run.id] for run in runs] == [True, False, True]
    assert after[runs[1].id].title == "new"
    store.delete(runs[0].id)
    assert len(catalogue.entries()) == 2


def test_weights_make_a_run_a_trained_one(tmp_path: Path, finished_run: Run) -> None:
    store = RunStore(tmp_path)
    run = made(store)
    catalogue = Catalogue(store)
    assert not only(catalogue.entries()).is_trained
    run.save_weights(1, finished_run.weights(1))
    assert only(catalogue.entries()).is_trained


def test_a_run_whose_training_was_killed_is_seen_as_interrupted(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    run = store.create(RunConfig())
    catalogue = Catalogue(store)
    with run.held():
        assert only(catalogue.entries()).summary.status == "running"
    assert only(catalogue.entries()).summary.status == "interrupted"


def test_a_row_has_every_setting_and_result(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    made(store, About(title="Mine", tags=("good",), pinned=True), learning_rate=0.02, architecture="quick")
    rows = table(Catalogue(store).entries())
    (row,) = rows.to_dict("records")
    assert (row["Title"], row["Pinned"], row["Tags"], row["Network"]) == (
        "Mine",
        True,
        ["good"],
        PRESETS["quick"].title,
    )
    assert (row["Learning rate"], row["Test"]) == (0.02, 0.5)
    assert row["MACs"] == sum(layer.macs for layer in summarise(PRESETS["quick"], SHAPE, 10))
    assert len(settings_of(rows)) == len(RunConfig.model_fields) - 2
    assert table([]).empty
    assert list(table([]).columns) == list(rows.columns)


def test_a_taught_run_is_a_row_of_plain_values(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    made(store, parent="20260101-000000-abc@7", lessons=[lesson()])
    (row,) = table(Catalogue(store).entries()).to_dict("records")
    assert row["Parent"] == "20260101-000000-abc@7"
    assert row["Lessons"].startswith("1 drawing, ")
    assert "taught 1 drawing" in row["Name"]
    assert len(search(table(Catalogue(store).entries()), "taught")) == 1


def test_a_network_that_takes_no_such_images_has_no_macs() -> None:
    assert macs(PRESETS["fashion-part-3"], (1, 4, 4), 10) is None


@pytest.mark.parametrize(
    ("words", "found"),
    [("", 2), ("FASHION", 1), ("mnist", 2), ("mnist quick", 1), ("lucky", 1), ("note", 1), ("nothing", 0), (".*", 0)],
)
def test_search_finds_every_word_in_title_tags_note_network_or_data(words: str, found: int, tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    made(store, About(tags=("Lucky",), note="a\nnote"), architecture="quick")
    made(store, dataset="fashion-mnist")
    assert len(search(table(Catalogue(store).entries()), words)) == found


def test_a_config_flattens_to_scalars_and_its_layers() -> None:
    fields = flat(RunConfig(lessons=(lesson(),)))
    assert set(RunConfig.model_fields) <= set(fields)
    assert "Convolution(out_channels=" in fields["layers"]
    assert "relu" in fields["layers"]
    assert not any(isinstance(value, dict | list | tuple) for value in fields.values())


def test_a_changed_stamp_alone_makes_it_read_again(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    run = made(store)
    catalogue = Catalogue(store)
    first = only(catalogue.entries())
    os.utime(run.folder / "summary.json", (1, 1))
    assert only(catalogue.entries()) is not first
