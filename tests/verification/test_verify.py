"""Honest runs are proved at each level, forged ones are not; on a machine of another kind nothing is."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import nan
from pathlib import Path
from shutil import copyfile, rmtree
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from cnnlab.jobs.job import Job
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.training import meter
from cnnlab.training.config import parse_config
from cnnlab.training.device import machine_kind
from tests.runs.made import made
from tests.samples import TINY, lesson
from tests.trainings import changes_threads, finish, start, train, wait_for_epoch, wait_until
from tests.verification.reports import copy_of, edit_history, edit_json, of_epoch, report_on

Forge = Callable[[Run], object]

SHORT = parse_config({"architecture": TINY, "epochs": 3, "train_fraction": 0.05, "optimizer": "adam"})


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Three epochs with the checkpoint of each; read it, do not change it."""
    return finish(Job.start(SHORT, RunStore(tmp_path_factory.mktemp("honest")), threads=1, provable=True)).run


def weights(run: Run, epoch: int) -> Path:
    return run.folder / "weights" / f"epoch-{epoch:03d}.safetensors"


def change_tensor(path: Path, name: str, value: float = 0.5) -> None:
    """Change one value of a safetensors file, and keep what it says beside the tensors."""
    tensors = load_file(path)
    tensors[name].view(-1)[0] = value
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    save_file(tensors, path, metadata=header.get("__metadata__"))


def set_figure(epoch: int, figure: str, value: Any) -> Forge:
    return lambda run: edit_history(run, lambda records: of_epoch(records, epoch).update({figure: value}))


def shortened(run: Run) -> None:
    """The last epoch is left out."""
    edit_history(run, lambda records: records.remove(of_epoch(records, 3)))
    weights(run, 3).unlink()


def lengthened(run: Run) -> None:
    """An epoch more than the settings have."""
    edit_history(run, lambda records: records.append(of_epoch(records, 3) | {"epoch": 4}))
    copyfile(weights(run, 3), weights(run, 4))


def swapped(run: Run) -> None:
    copyfile(weights(run, 1), weights(run, 2))


FORGERIES: dict[str, tuple[Forge, str]] = {
    "a better loss": (set_figure(2, "validation_loss", 0.001), "validation_loss"),
    "no number": (set_figure(2, "validation_loss", nan), "validation_loss"),
    "a class is better": (set_figure(3, "per_class", [1.0] * 10), "per_class"),
    "another accuracy in training": (set_figure(2, "train_accuracy", 0.99), "train_accuracy"),
    "weights of another epoch": (swapped, "weights"),
    "a weight": (lambda run: change_tensor(weights(run, 3), "linear1.bias"), "weights linear1.bias, value 1 of 10"),
    "no finite weight": (lambda run: change_tensor(weights(run, 2), "linear1.bias", nan), "weights"),
    "an epoch less": (shortened, "epochs"),
    "an epoch more": (lengthened, "epochs"),
    "another test": (lambda run: edit_json(run, "summary.json", test_accuracy=0.999), "test_accuracy"),
    "no test": (lambda run: edit_json(run, "summary.json", test_accuracy=None), "test_accuracy"),
    "another test epoch": (lambda run: edit_json(run, "summary.json", epoch=1), "epoch"),
    "another learning rate": (lambda run: edit_json(run, "config.json", learning_rate=0.02), "loss"),
    "another seed": (lambda run: edit_json(run, "config.json", seed=1), "weights"),
    "a line of nonsense": (lambda run: (run.folder / "history.jsonl").write_text("{}\n"), "line 1"),
}


def test_an_honest_run_is_proved_by_its_weights(honest: Run) -> None:
    report = report_on(honest, level=0)
    assert (report.outcome, report.judged, report.notes) == ("proved", (1, 2, 3), ())


def test_an_honest_run_is_proved_by_executing_it(honest: Run) -> None:
    before = {path: path.read_bytes() for path in honest.folder.rglob("*") if path.is_file()}
    threads = torch.get_num_threads()
    report = report_on(honest)
    assert (report.outcome, report.executed, report.compared) == ("proved", (1, 2, 3), (0, 1, 2, 3))
    assert {path: path.read_bytes() for path in honest.folder.rglob("*") if path.is_file()} == before
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(("count", "chance"), [(1, 2 / 3), (2, 1 / 2), (10, 0)])
def test_an_honest_run_is_proved_by_some_epochs(honest: Run, count: int, chance: float) -> None:
    report = report_on(honest, level=2, count=count)
    assert (report.outcome, len(report.executed)) == ("proved", min(count, 3))
    assert report.missed[1] == pytest.approx(chance)


@pytest.mark.parametrize("name", FORGERIES)
def test_what_is_forged_differs(name: str, honest: Run, tmp_path: Path) -> None:
    forge, figure = FORGERIES[name]
    forged = copy_of(honest, tmp_path)
    forge(forged)
    report = report_on(forged)
    assert report.outcome == "differs"
    assert report.difference
    assert figure in report.difference.figure


@pytest.mark.parametrize("name", ["a better loss", "no number", "a weight", "another test", "an epoch more"])
def test_figures_that_do_not_follow_from_the_weights_differ(name: str, honest: Run, tmp_path: Path) -> None:
    forged = copy_of(honest, tmp_path)
    FORGERIES[name][0](forged)
    report = report_on(forged, level=0)
    assert report.outcome == "differs"


def test_the_first_difference_is_told_with_both_values(honest: Run, tmp_path: Path) -> None:
    forged = copy_of(honest, tmp_path)
    set_figure(3, "train_loss", 2.0)(forged)
    set_figure(2, "train_loss", 1.0)(forged)
    found = report_on(forged).difference
    assert found
    assert (found.epoch, found.told, found.found) == (2, 1.0, honest.history().epochs[1]["train_loss"])


@pytest.mark.parametrize("name", ["optimizer.0.exp_avg", "draws"])
def test_a_forged_checkpoint_differs_where_its_epoch_is_executed(name: str, honest: Run, tmp_path: Path) -> None:
    forged = copy_of(honest, tmp_path)
    change_tensor(forged.checkpoints.path(2), name, 7)
    report = report_on(forged, level=2)
    assert report.outcome == "differs"
    assert report.difference
    assert report.difference.figure.startswith(f"checkpoint {name}")


@pytest.mark.parametrize(
    ("level", "file"), [(0, "weights/epoch-002.safetensors"), (2, "checkpoints/epoch-001.safetensors")]
)
def test_what_is_missing_cannot_be_proved(level: int, file: str, honest: Run, tmp_path: Path) -> None:
    copied = copy_of(honest, tmp_path)
    (copied.folder / file).unlink()
    report = report_on(copied, level=level)
    assert report.outcome == "unproved"
    assert "missing of epoch" in report.reason
    assert not report.notes


def test_missing_weights_are_told_where_the_run_is_executed(honest: Run, tmp_path: Path) -> None:
    copied = copy_of(honest, tmp_path)
    weights(copied, 2).unlink()
    report = report_on(copied)
    assert (report.outcome, report.compared) == ("proved", (0, 1, 3))
    assert report.notes == ("weights are missing of epoch 2",)


def test_on_another_kind_of_machine_nothing_is_proved(honest: Run, tmp_path: Path) -> None:
    other = copy_of(honest, tmp_path)
    kind = machine_kind(torch.device("cpu")).model_copy(update={"torch": "1.13.1"})
    edit_json(other, "summary.json", machines=[kind.model_dump()])
    set_figure(2, "validation_loss", 0.001)(other)
    for level in (0, 1, 2):
        report = report_on(other, level=level)
        assert report.outcome == "unproved"
        assert f"PyTorch 1.13.1, here {torch.__version__}" in report.reason


@pytest.mark.parametrize(("value", "outcome"), [(None, "proved"), (0.001, "unproved")])
def test_a_run_without_a_kind_of_machine_is_proved_or_nothing_is(
    value: float | None, outcome: str, honest: Run, tmp_path: Path
) -> None:
    old = copy_of(honest, tmp_path)
    edit_json(old, "summary.json", machines=[])
    if value:
        set_figure(2, "validation_loss", value)(old)
    report = report_on(old)
    assert report.outcome == outcome
    assert bool(report.difference) == bool(value)


def test_a_run_of_more_threads_than_cores_can_give_is_left_alone(honest: Run, tmp_path: Path) -> None:
    copied = copy_of(honest, tmp_path)
    edit_json(copied, "summary.json", threads=1000)
    assert "1000 threads" in report_on(copied).reason


def test_what_cannot_be_verified_is_refused(honest: Run, tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    with pytest.raises(RunError, match="no complete epoch"):
        report_on(made(store))
    copied = copy_of(honest, tmp_path)
    rmtree(copied.checkpoints.folder)
    with pytest.raises(RunError, match="not trained with --provable"):
        report_on(copied, level=2)


def test_a_network_from_elsewhere_has_no_training_to_repeat(honest: Run, tmp_path: Path) -> None:
    brought = copy_of(honest, tmp_path)
    edit_history(brought, lambda records: [record.update(step=0) for record in records])
    assert "elsewhere" in report_on(brought).reason


@pytest.mark.slow
@pytest.mark.parametrize(
    "fields",
    [
        {"optimizer": "sgd", "schedule": "step", "step_epochs": 1, "augmentation": "trivial", "mixup": 0.4},
        {"weight_average": 0.9, "class_balance": "sampling", "gradient_clipping": 1.0, "micro_batch": 64},
        {"early_stopping": 1, "learning_rate": 0.02, "optimizer": "rmsprop", "epochs": 20},
    ],
    ids=str,
)
def test_runs_of_all_kinds_are_proved(fields: dict[str, Any]) -> None:
    run = finish(start(**{"train_fraction": 0.05, **fields})).run
    assert report_on(run).outcome == "proved"


@pytest.mark.slow
def test_a_branch_with_drawings_and_frozen_layers_is_proved_and_names_its_parent() -> None:
    parent = train(architecture=TINY, train_fraction=0.1)
    branch = train(
        architecture=TINY,
        parent=f"{parent.id}@1",
        learn_from="linear1",
        lessons=(lesson(), lesson("1", 0.2)),
        train_fraction=0.05,
        epochs=2,
    )
    report = report_on(branch)
    assert (report.outcome, report.notes) == (
        "proved",
        (f"it starts from run {parent.id}, epoch 1: verify that run too",),
    )
    assert report_on(branch, level=0).outcome == "proved"
    change_tensor(weights(parent, 1), "linear1.bias")
    assert report_on(branch).outcome == "differs"


@pytest.mark.slow
def test_rates_threads_stops_and_extensions_are_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    changes_threads(monkeypatch)
    monkeypatch.setattr(meter, "READ_SECONDS", 0.0)
    config = parse_config({"architecture": TINY, "batch_size": 16, "epochs": 1000, "train_fraction": 0.05})
    job = Job.start(config, RunStore(runs_folder()), threads=2)
    wait_for_epoch(job)
    job.change_learning_rate(0.002)
    wait_until(job, lambda: job.history.rates and job.history.threads and len(job.history.epochs) > 2)
    job.stop()
    finish(job)
    assert report_on(job.run).outcome == "proved"  # its last epoch is incomplete
    run = finish(Job.resume(job.run, epochs=2)).run
    assert run.history().threads
    assert report_on(run).outcome == "proved"


@pytest.mark.slow
def test_an_interrupted_run_is_proved_as_far_as_it_came(tmp_path: Path) -> None:
    job = start(epochs=1000, train_fraction=0.05)
    wait_until(job, lambda: len(job.history.epochs) > 1)
    job.abandon()
    run = finish(job).run
    assert report_on(run).outcome == "proved"
    edit_history(run, lambda records: records.remove(of_epoch(records, run.whole_epochs)))  # as if killed before it
    assert report_on(run).outcome == "proved"
