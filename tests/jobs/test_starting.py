"""What a training starts from; ``tests/jobs/test_job.py`` starts them."""

from __future__ import annotations

import pytest

from cnnlab.jobs.executor import LOCAL
from cnnlab.jobs.starting import continuation, further, new_run
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.training.config import RunConfig


def test_a_new_run_lies_in_its_store_and_keeps_checkpoints_where_it_is_provable() -> None:
    store = RunStore(runs_folder())
    plain, provable = (new_run(RunConfig(), store, provable=is_provable) for is_provable in (False, True))
    assert {run.id for run in store.all()} == {plain.id, provable.id}
    assert (plain.checkpoints.are_kept, provable.checkpoints.are_kept) == (False, True)


def test_more_epochs_begin_after_the_last_with_a_tenth_of_the_rate(finished_run: Run) -> None:
    more = continuation(finished_run, 3, None, LOCAL)
    assert more
    assert (more.after, more.epochs) == (finished_run.whole_epochs, 3)
    assert more.learning_rate == pytest.approx(finished_run.config.learning_rate / 10)
    assert further(finished_run, 3).epochs == 3
    assert further(finished_run).epochs == 0


def test_what_runs_already_does_not_continue(listed_run: Run) -> None:
    listed_run.write_summary(listed_run.summary.model_copy(update={"status": "running"}))
    with listed_run.held(), pytest.raises(RunError, match="is being trained"):
        continuation(listed_run, 1, None, LOCAL)
