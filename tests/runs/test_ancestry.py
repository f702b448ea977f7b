from __future__ import annotations

from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch

from cnnlab.data.loading import load_test
from cnnlab.data.spec import DatasetError
from cnnlab.data.splits import Split, fingerprints
from cnnlab.jobs.job import Job
from cnnlab.runs.ancestry import FEWEST, FROM_BEFORE, NOT_HERE, caveat, data_of, inherited, trained_on, unseen_test
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import Learned
from cnnlab.runs.trained import judge
from cnnlab.training.config import ConfigError, RunConfig
from cnnlab.training.run_data import load_for
from tests.samples import TINY, other_sample

pytestmark = pytest.mark.slow


@pytest.fixture
def parent(finished_run: Run, tmp_path: Path) -> Run:
    return Run(Path(copytree(finished_run.folder, tmp_path / "runs" / finished_run.id)))


@pytest.fixture
def store(parent: Run) -> RunStore:
    return RunStore(parent.folder.parent)


def branch(parent: Run, store: RunStore, **fields: object) -> Job:
    config = RunConfig.model_validate(
        {"architecture": parent.config.architecture, "epochs": 1, "parent": f"{parent.id}@1", **fields}
    )
    job = Job.start(config, store, threads=1)
    job.join()
    return job


def test_a_branch_is_validated_on_images_that_its_parent_was_not_trained_on(parent: Run, store: RunStore) -> None:
    grown = branch(parent, store, seed=5, train_fraction=0.1).run
    again = branch(grown, store, seed=6, train_fraction=0.1).run
    learned = load_for(parent.config).train.images
    for run in (grown, again):
        assert run.config.seed != run.config.split_seed == parent.config.seed
        held_out = data_of(run).validation.images
        assert torch.equal(held_out, load_for(parent.config).validation.images)
        assert not np.isin(fingerprints(held_out), fingerprints(learned)).any()


@pytest.mark.parametrize(("field", "value"), [("validation_fraction", 0.3), ("split_seed", 9)])
def test_a_branch_that_asks_for_another_split_is_refused(
    parent: Run, store: RunStore, field: str, value: float
) -> None:
    config = RunConfig.model_validate({"parent": f"{parent.id}@1", field: value})
    with pytest.raises(ConfigError, match=f"{field}: a branch keeps its parent's"):
        inherited(config, store)
    before = [run.id for run in store.all()]
    with pytest.raises(ConfigError, match=field):
        Job.start(config, store)
    assert [run.id for run in store.all()] == before


def test_a_branch_takes_its_parents_share_where_it_names_none(finished_run: Run, tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    parent = store.create(RunConfig(validation_fraction=0.3, seed=4))
    config = inherited(RunConfig.model_validate({"parent": f"{parent.id}@0"}), store)
    assert (config.validation_fraction, config.held_out_by) == (0.3, 4)


def test_a_run_is_judged_on_another_set_only_by_what_it_has_not_seen(
    finished_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = other_sample(monkeypatch, known=200, new=300)
    left = unseen_test(finished_run, name)
    assert torch.equal(left.images, load_test(name).images[200:])
    assert sum(judge(finished_run, name).support) == 300


def test_where_too_few_unseen_images_are_left_nothing_is_judged(
    finished_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = other_sample(monkeypatch, known=489, new=11)
    with pytest.raises(DatasetError, match=r"489 of .*test images, 500, .*11 are too few"):
        judge(finished_run, name)


def test_a_run_keeps_all_its_own_test_images(listed_run: Run) -> None:
    assert sum(judge(listed_run).support) == 500
    assert not trained_on([Learned.of(listed_run.config)], load_for(listed_run.config).validation).any()


def test_a_branch_on_another_set_is_neither_validated_nor_judged_on_what_its_parent_saw(
    parent: Run, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = other_sample(monkeypatch, known=200, new=300)
    job = branch(parent, store, dataset=name, train_fraction=0.1, validation_fraction=0.3)
    assert job.state == "finished", job.error
    held_out = data_of(job.run)
    for split in (held_out.validation, held_out.test):
        assert len(split) >= FEWEST
        assert not trained_on([Learned.of(parent.config)], split).any()
    assert sum(job.summary.support.values()) == 300


def test_a_branch_from_before_keeps_the_images_it_was_trained_with(
    parent: Run, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = other_sample(monkeypatch, known=200, new=300)
    old = store.create(RunConfig.model_validate({"dataset": name, "parent": f"{parent.id}@1"}))
    assert len(data_of(old).test) == 500
    assert torch.equal(data_of(old).validation.images, load_for(old.config).validation.images)


def test_a_branch_whose_parent_is_gone_is_still_not_judged_by_what_that_saw(
    parent: Run, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = other_sample(monkeypatch, known=200, new=300)
    job = branch(parent, store, dataset=name, train_fraction=0.1, validation_fraction=0.3)
    store.delete(parent.id)
    assert sum(judge(job.run).support) == 300
    assert caveat(job.run) == ""
    more = Job.resume(job.run, epochs=1)  # which needs its own weights only
    more.join()
    assert more.state == "finished", more.error
    assert sum(more.summary.support.values()) == 300


def test_a_branch_of_a_branch_knows_what_both_learned(
    parent: Run, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = other_sample(monkeypatch, known=200, new=300)
    first = branch(parent, store, train_fraction=0.05)
    second = branch(first.run, store, dataset=name, train_fraction=0.05, validation_fraction=0.3)
    learned = tuple(Learned.of(run.config) for run in (first.run, parent))
    for run in (parent, first.run):
        store.delete(run.id)
    assert second.run.summary.ancestors == learned
    assert sum(judge(second.run).support) == 300


def test_what_a_branch_may_have_been_judged_by_is_told(parent: Run, store: RunStore) -> None:
    def from_before(**fields: object) -> Run:
        return store.create(RunConfig.model_validate({"parent": f"{parent.id}@1", **fields}))

    assert caveat(parent) == ""
    old, same = from_before(seed=5), from_before()
    assert caveat(old) == FROM_BEFORE
    assert caveat(same) == ""
    assert caveat(branch(parent, store, train_fraction=0.02).run) == ""
    store.delete(parent.id)
    assert caveat(old) == caveat(same) == NOT_HERE


def test_images_of_another_shape_are_none_that_were_seen(finished_run: Run) -> None:
    colour = Split(torch.zeros(3, 3, 32, 32, dtype=torch.uint8), torch.zeros(3))
    assert not trained_on([Learned.of(finished_run.config)], colour).any()


def test_the_sample_is_known_to_be_drawn_from_mnist(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNLAB_DATA", str(real_data))
    seen = trained_on([Learned.of(RunConfig(dataset="mnist", architecture=TINY))], load_test("mnist-sample"))
    assert 400 < int(seen.sum()) < 500  # nine of ten are in the training split, all in the training file
    assert not trained_on([Learned.of(RunConfig())], load_test("mnist")).any()
