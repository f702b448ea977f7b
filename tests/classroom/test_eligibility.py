from __future__ import annotations

from datetime import timedelta

import pytest

from cnnlab.classroom.eligibility import epochs_before, facts_of, is_traced, refusals
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.training.config import RunConfig
from tests.classroom.samples import NOW, assignment

pytestmark = pytest.mark.usefixtures("listed_run")


def test_a_summary_cannot_say_fewer_parameters_than_the_network_has(listed_run: Run) -> None:
    listed_run.write_summary(listed_run.summary.model_copy(update={"parameters": 1}))
    (reason,) = refusals(listed_run, assignment(config=listed_run.config, most_parameters=1), [], NOW)
    assert "At most 1 parameters" in reason


def test_why_a_run_cannot_be_handed_in_is_said(listed_run: Run) -> None:
    task = assignment(config=listed_run.config, deadline=NOW, free=())
    late = refusals(listed_run, task, [], NOW + timedelta(seconds=1))
    assert late == ["The deadline has passed."]
    changed = assignment(config=listed_run.config.model_copy(update={"learning_rate": 0.5}), free=(), most_epochs=1)
    assert len(refusals(listed_run, changed, [], NOW)) == 2
    listed_run.write_summary(listed_run.summary.model_copy(update={"test_accuracy": None}))
    assert "has not been tested" in refusals(listed_run, task, [], NOW)[0]


def test_the_epochs_before_a_branch_count(listed_run: Run) -> None:
    branch = RunConfig.model_validate({"parent": f"{listed_run.id}@2"})
    store = RunStore(runs_folder())
    assert epochs_before(branch, store) == 2
    assert epochs_before(listed_run.config, store) == 0
    assert epochs_before(RunConfig.model_validate({"parent": "gone@7"}), store) == 7
    assert facts_of(listed_run).epochs == 2


def test_a_deleted_ancestor_hides_neither_epochs_nor_drawings(listed_run: Run) -> None:
    store = RunStore(runs_folder())
    first = store.create(RunConfig.model_validate({"parent": f"{listed_run.id}@2"}))
    second = RunConfig.model_validate({"parent": f"{first.id}@1"})
    assert is_traced(listed_run.config, store)
    assert is_traced(second, store)
    store.delete(listed_run.id)
    assert not is_traced(first.config, store)
    assert not is_traced(second, store)
