from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnnlab.networks.architecture import summarise
from cnnlab.networks.presets import PRESETS
from cnnlab.runs.entry import flat, from_json, layers_digest, macs, read_entry, settings_digest, stem_digest, to_json
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import About
from cnnlab.training.config import RunConfig
from tests.runs.made import SHAPE, made
from tests.samples import lesson


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "store")


def test_a_row_has_every_setting_and_result(store: RunStore) -> None:
    about = About(title="Mine", tags=("good",), pinned=True)
    row = read_entry(made(store, about, learning_rate=0.02, architecture="quick")).row
    assert (row["Title"], row["Pinned"], row["Tags"], row["Network"]) == (
        "Mine",
        True,
        ["good"],
        PRESETS["quick"].title,
    )
    assert (row["Learning rate"], row["Test"]) == (0.02, 0.5)
    assert row["MACs"] == sum(layer.macs for layer in summarise(PRESETS["quick"], SHAPE, 10))


def test_a_taught_run_is_a_row_of_plain_values(store: RunStore) -> None:
    row = read_entry(made(store, parent="20260101-000000-abc@7", lessons=[lesson()])).row
    assert row["Parent"] == "20260101-000000-abc@7"
    assert row["Lessons"].startswith("1 drawing, ")
    assert "taught 1 drawing" in row["Name"]


def test_an_entry_becomes_json_and_comes_back(store: RunStore, finished_run: Run) -> None:
    for run in (finished_run, made(store, About(title="\ud7ff “Ünï”", tags=("a",)))):
        entry = read_entry(run)
        assert entry.config  # read, but not written
        assert from_json(run, json.loads(to_json(entry))) == entry
    wrong: list[dict[str, object]] = [{"row": {}}, {"speed": None}, {"more": 1}]
    for spoil in wrong:
        with pytest.raises((KeyError, TypeError, ValueError)):
            from_json(run, json.loads(to_json(entry)) | spoil)


def test_files_are_read_when_they_are_asked_for(store: RunStore) -> None:
    run = made(store, About(note="n"), seed=3)
    entry = read_entry(run)
    assert not {"config", "summary", "about"} & vars(entry).keys()
    assert (entry.config, entry.about) == (run.config, run.about)
    assert (entry.summary.status, entry.summary.test_accuracy) == (entry.status, entry.test_accuracy)


def test_a_label_tells_state_and_accuracy(store: RunStore) -> None:
    assert read_entry(made(store, About(title="T"))).label == "T, test 50.0%"
    assert read_entry(made(store, About(title="T"), status="stopped")).label == "T, test 50.0%, stopped"


def test_digests_are_equal_where_networks_or_settings_are() -> None:
    compact, quick = PRESETS["compact"], PRESETS["quick"]
    first, *others = compact.layers
    named = (first.model_copy(update={"name": "stem"}), *others)
    assert layers_digest(named) == layers_digest(compact.layers) != layers_digest(quick.layers)
    assert stem_digest((*named[:3], *quick.layers)) == stem_digest(compact.layers) != stem_digest(quick.layers)
    assert stem_digest(named[:2]) == ""
    assert settings_digest(RunConfig()) == settings_digest(RunConfig(seed=0)) != settings_digest(RunConfig(seed=1))


def test_a_network_that_takes_no_such_images_has_no_macs() -> None:
    assert macs(PRESETS["fashion-part-3"], (1, 4, 4), 10) is None


def test_a_config_flattens_to_scalars_and_its_layers() -> None:
    fields = flat(RunConfig(lessons=(lesson(),)))
    assert set(RunConfig.model_fields) <= set(fields)
    assert "Convolution(out_channels=" in fields["layers"]
    assert "relu" in fields["layers"]
    assert not any(isinstance(value, dict | list | tuple) for value in fields.values())
