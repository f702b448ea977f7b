from __future__ import annotations

from pathlib import Path

import pytest

from cnnlab.data.datasets import DATASETS
from cnnlab.networks.architecture import Draft
from cnnlab.networks.presets import PRESETS
from cnnlab.runs.catalogue import Catalogue
from cnnlab.runs.entry import Entry, describe
from cnnlab.runs.epoch_times import epoch_seconds, rough_epoch_seconds
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import Summary
from cnnlab.training.config import RunConfig
from tests.trainings import expects_one_thread

SAMPLE = DATASETS["mnist-sample"]


@pytest.fixture
def entry(finished_run: Run, monkeypatch: pytest.MonkeyPatch) -> Entry:
    expects_one_thread(monkeypatch)
    (entry,) = (entry for entry in Catalogue(RunStore(finished_run.folder.parent)).entries())
    return entry


def test_a_run_of_the_same_layers_tells_its_seconds_per_epoch(entry: Entry) -> None:
    assert entry.summary.seconds is not None
    draft = Draft(**dict(PRESETS["lean"]) | {"title": "Mine"})
    (seconds,) = epoch_seconds([entry], draft, RunConfig(), SAMPLE)
    assert seconds == pytest.approx(entry.summary.seconds / 2)


def test_names_of_layers_do_not_count(entry: Entry) -> None:
    first, *others = PRESETS["lean"].layers
    draft = Draft(name="a", title="A", layers=(first.model_copy(update={"name": "stem"}), *others))
    assert len(epoch_seconds([entry, entry], draft, RunConfig(), SAMPLE)) == 2


@pytest.mark.parametrize(
    "change",
    [{"batch_size": 64}, {"optimizer": "sgd"}, {"augmentation": "none"}, {"dataset": "mnist"}, {"train_fraction": 0.5}],
)
def test_a_run_that_trained_otherwise_does_not_count(change: dict[str, object], entry: Entry) -> None:
    assert epoch_seconds([entry], PRESETS["lean"], RunConfig.model_validate(change), SAMPLE) == []


def test_what_takes_no_other_time_may_differ(entry: Entry) -> None:
    config = RunConfig(learning_rate=0.002, seed=4, epochs=9, augmentation="handwriting")
    assert len(epoch_seconds([entry], PRESETS["lean"], config, SAMPLE)) == 1


def test_other_layers_another_machine_and_unfinished_runs_do_not_count(entry: Entry, tmp_path: Path) -> None:
    assert epoch_seconds([entry], PRESETS["quick"], RunConfig(), SAMPLE) == []
    for field, value in {"device": "cuda", "precision": "float16", "threads": 2}.items():
        summary = entry.summary.model_copy(update={field: value})
        assert epoch_seconds([_with(entry, summary)], PRESETS["lean"], RunConfig(), SAMPLE) == []
    unfinished = _with(entry, entry.summary.model_copy(update={"seconds": None}))
    assert epoch_seconds([unfinished], PRESETS["lean"], RunConfig(), SAMPLE) == []
    untrained = describe(Run(tmp_path), entry.config, entry.summary, entry.about, [])
    assert epoch_seconds([untrained], PRESETS["lean"], RunConfig(), SAMPLE) == []


def _with(entry: Entry, summary: Summary) -> Entry:
    return describe(entry.run, entry.config, summary, entry.about, entry.run.epochs())


def test_a_network_that_nobody_trained_is_judged_by_the_speed_of_another(entry: Entry) -> None:
    known = rough_epoch_seconds([entry], RunConfig(architecture=PRESETS["lean"]), SAMPLE)
    assert known == epoch_seconds([entry], PRESETS["lean"], RunConfig(), SAMPLE)[0]
    quick, half = (RunConfig(architecture="quick", train_fraction=share) for share in (1.0, 0.5))
    times = [rough_epoch_seconds([entry], config, SAMPLE) for config in (quick, half)]
    assert times[0]
    assert times[1]
    assert 0.5 * times[0] < times[1] < 0.6 * times[0]  # the validation images stay
    assert rough_epoch_seconds([], quick, SAMPLE) is None
