from __future__ import annotations

from collections.abc import Generator

import pytest

from cnnlab.classroom import proofs as module
from cnnlab.classroom.folder import class_folder
from cnnlab.classroom.proofs import Proof, Proofs
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.training.config import RunConfig
from cnnlab.verification.report import Outcome, Report
from tests.trainings import start


def test_true_runs_are_proved_and_forged_ones_differ() -> None:
    job = start(epochs=1)
    job.join()
    proofs = Proofs(runs_folder())
    assert proofs.get(job.run.id) is None
    steps = list(proofs.verify([job.run.id]))
    assert proofs.get(job.run.id) == Proof(outcome="proved", level=1)
    assert steps[-1].done == 1
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    summary = job.run.summary
    job.run.write_summary(summary.model_copy(update={"train_accuracy": 1.0}))
    list(proofs.verify([job.run.id]))
    found = proofs.get(job.run.id)
    assert found
    assert found.outcome == "differs"
    assert "train_accuracy" in found.reason


def test_a_run_that_cannot_be_read_is_not_proved(listed_run: Run) -> None:
    (listed_run.folder / "config.json").write_text("{")
    proofs = Proofs(runs_folder())
    list(proofs.verify([listed_run.id]))
    found = proofs.get(listed_run.id)
    assert found
    assert found.outcome == "unproved"
    assert "config.json" in found.reason
    (class_folder(runs_folder()) / "proofs" / f"{listed_run.id}.json").write_text("[]")
    assert proofs.get(listed_run.id) is None


def test_a_branch_is_proved_with_all_that_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    store, proofs, outcomes = RunStore(runs_folder()), Proofs(runs_folder()), dict[str, Outcome]()

    def verified(run: Run, level: int) -> Generator[None, None, Report]:
        yield from ()
        return Report(run.id, level, 1, outcomes.get(run.id, "proved"))

    monkeypatch.setattr(module, "verify", verified)
    first = store.create(RunConfig())
    branch = store.create(RunConfig.model_validate({"parent": f"{first.id}@1"}))

    def found() -> Proof | None:
        list(proofs.verify([branch.id]))
        return proofs.get(branch.id)

    assert found() == Proof(outcome="proved", level=1)
    outcomes[first.id] = "differs"
    assert found() == Proof(outcome="differs", level=1, reason=f"{first.id}: ")
    store.delete(first.id)
    assert found() == Proof(outcome="unproved", level=1, reason="a run that it comes from is gone")
