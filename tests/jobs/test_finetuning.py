from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest
import torch

from cnnlab.data.datasets import DATASETS
from cnnlab.data.spec import DatasetError
from cnnlab.data.splits import Split
from cnnlab.drawings.preprocess import prepare, stroke_ink
from cnnlab.drawings.strokes import Drawing, LabelledDrawing, read_labelled_drawings, rounded, write_labelled_drawings
from cnnlab.jobs.finetuning import Change, changes, fine_tuning, set_aside
from cnnlab.jobs.job import Job
from cnnlab.runs.ancestry import unseen_test
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore
from cnnlab.runs.trained import load_trained
from cnnlab.training.config import ConfigError, RunConfig
from cnnlab.training.run_data import load_for
from tests.samples import lesson, other_sample
from tests.trainings import records

pytestmark = pytest.mark.slow

REPLAYED = 500
LEANS = (-0.3, -0.1, 0.1, 0.3)


@pytest.fixture
def parent(finished_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A copy of the finished run, among whose siblings its branches may be; they replay fewer images than others."""
    monkeypatch.setattr("cnnlab.jobs.finetuning.REPLAYED", REPLAYED)
    return Run(Path(copytree(finished_run.folder, tmp_path / "runs" / finished_run.id)))


def sevens(label: str = "7") -> list[LabelledDrawing]:
    return [lesson(label, lean) for lean in LEANS]


def crosses() -> list[LabelledDrawing]:
    """What nobody's digits look like, and this hand's fives do."""
    return [LabelledDrawing(strokes=[[(lean, 0), (1, 1)], [(1, lean), (0, 1)]], label="5") for lean in LEANS]


def store(run: Run) -> RunStore:
    return RunStore(run.folder.parent)


def trained(parent: Run, config: RunConfig) -> Job:
    job = Job.start(config, store(parent), threads=1)
    job.join()
    assert job.state == "finished", job.error
    return job


def images(split: Split) -> set[bytes]:
    return {image.numpy().tobytes() for image in split.images}


def test_before_its_first_step_a_branch_answers_as_its_parent(parent: Run) -> None:
    test = load_for(parent.config).test.images
    branch = trained(parent, fine_tuning(parent, sevens(), epoch=1)).run
    first, last = (load_trained(branch, epoch).probabilities(test) for epoch in (0, None))
    assert torch.equal(first, load_trained(parent, 1).probabilities(test))
    assert not torch.equal(first, last)


def test_the_same_lessons_give_the_same_history(parent: Run) -> None:
    config = fine_tuning(parent, sevens())
    first, again = trained(parent, config), trained(parent, config)
    assert records(first.history) == records(again.history)
    assert records(first.history) != records(trained(parent, fine_tuning(parent, sevens("1"))).history)


def test_a_branch_learns_its_lessons_and_forgets_little(parent: Run) -> None:
    *lessons, other = crosses()
    branch = trained(parent, fine_tuning(parent, lessons)).run
    found = changes(branch, store(parent), others=[other])
    assert found["taught"] == Change(3, 0, 3)
    assert found["others"] == Change(1, 0, 1)
    assert found["test"].images == 500
    assert found["test"].before == round(500 * (parent.summary.test_accuracy or 0))
    assert found["test"].after >= found["test"].before - 25


def test_a_branch_is_what_its_parent_is_but_for_how_it_learns(parent: Run) -> None:
    config, own = fine_tuning(parent, sevens()), parent.config
    assert config.parent
    assert (config.parent.run, config.parent.epoch) == (parent.id, parent.summary.epoch)
    assert config.lessons == tuple(sevens())
    same = ("dataset", "architecture", "validation_fraction", "seed", "normalise", "device", "precision")
    assert [getattr(config, name) for name in same] == [getattr(own, name) for name in same]
    assert config.epochs < own.epochs or config.learning_rate < own.learning_rate


def test_a_run_of_another_machine_can_be_taught_here(parent: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.training.device.devices", lambda: ["cpu"])
    foreign = parent.config.model_copy(update={"device": "cuda", "precision": "float16"})
    (parent.folder / "config.json").write_text(foreign.model_dump_json())
    taught = fine_tuning(parent, sevens())
    assert (taught.device, taught.precision) == ("auto", "auto")


def test_images_replayed_are_the_parents_training_images_and_never_held_out_ones(parent: Run) -> None:
    before, after = load_for(parent.config), load_for(fine_tuning(parent, sevens()))
    assert images(after.validation) == images(before.validation)
    assert images(after.test) == images(before.test)
    drawn = images(after.train) - images(before.train)
    assert len(drawn) == len(LEANS)
    assert not images(after.train) & (images(after.validation) | images(after.test))
    replayed = [image for image in after.train.images if image.numpy().tobytes() not in drawn]
    assert len(replayed) == pytest.approx(REPLAYED, abs=10)


def test_a_parent_that_saw_few_images_replays_no_others(parent: Run) -> None:
    few = parent.config.model_copy(update={"train_fraction": 0.02})
    (parent.folder / "config.json").write_text(few.model_dump_json())
    assert fine_tuning(parent, sevens()).train_fraction == 0.02


def test_the_test_images_are_asked_where_a_run_was_not_judged(parent: Run) -> None:
    branch = trained(parent, fine_tuning(parent, sevens())).run
    judged = changes(branch, store(parent))
    assert set(judged) == {"taught", "test"}
    for run in (parent, branch):
        run.write_summary(run.summary.model_copy(update={"test_accuracy": None, "support": {}}))
    assert changes(branch, store(parent)) == judged


def test_both_are_asked_only_about_test_images_that_neither_was_trained_on(
    parent: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = other_sample(monkeypatch, known=200, new=300)
    fields = {"architecture": parent.config.architecture, "parent": f"{parent.id}@1", "dataset": name, "epochs": 1}
    fields |= {"train_fraction": 0.1, "validation_fraction": 0.3}
    middle = trained(parent, RunConfig.model_validate(fields)).run
    branch = trained(middle, fine_tuning(middle, sevens(), epoch=0)).run  # not the epoch that was judged
    unseen = unseen_test(branch, name)
    hits = [int(load_trained(run, epoch).answers(unseen).hits.sum()) for run, epoch in ((middle, 0), (branch, 2))]
    assert changes(branch, store(branch))["test"] == Change(300, *hits)


def test_changes_need_a_parent_that_is_there(parent: Run) -> None:
    branch = trained(parent, fine_tuning(parent, sevens())).run
    with pytest.raises(RunError, match="has no parent"):
        changes(parent, store(parent))
    store(parent).delete(parent.id)
    with pytest.raises(RunError, match=f"there is no run '{parent.id}'"):
        changes(branch, store(branch))
    assert load_trained(branch).epoch  # which opens all the same


def test_written_lessons_are_read_again_and_a_digit_is_a_label() -> None:
    lessons = [lesson("7"), lesson("<b>", 0.1)]
    assert read_labelled_drawings(write_labelled_drawings(lessons)) == lessons
    assert read_labelled_drawings(b'[{"digit": 3, "strokes": [[[0, 1]]]}]')[0].label == "3"


def test_a_rounded_drawing_looks_the_same_and_is_short() -> None:
    third = Drawing(strokes=[[(1 / 3, 1 / 3), (2 / 3, 1)]], pen=1 / 7)
    assert rounded(third) == Drawing(strokes=[[(0.3333, 0.3333), (0.6667, 1.0)]], pen=0.1429)
    apart = prepare(stroke_ink(rounded(third))).int() - prepare(stroke_ink(third)).int()
    assert apart.abs().max() < 32  # of 255: a few pixels of the canvas beside a border


def test_every_third_drawing_of_a_label_is_kept_aside() -> None:
    drawings = [lesson("7", 0.1), lesson("1", 0.1), lesson("7", 0.2), lesson("7", 0.3), lesson("1", 0.2)]
    taught, aside = set_aside(drawings)
    assert aside == [lesson("7", 0.3)]
    assert taught == [drawing for drawing in drawings if drawing not in aside]
    assert set_aside(drawings[:3]) == (drawings[:3], [])


def test_what_suits_a_long_training_is_left_out_of_a_short_one(parent: Run) -> None:
    long = {"mixup": 0.2, "weight_average": 0.99, "schedule": "step", "warmup_epochs": 4, "epochs": 5}
    other = RunStore(parent.folder.parent).create(parent.config.model_copy(update=long))
    config = fine_tuning(other, sevens(), epoch=0)
    assert (config.mixup, config.weight_average, config.warmup_epochs) == (0, 0, 0)


@pytest.mark.parametrize(
    ("lessons", "words"),
    [([lesson("x")], "has no class 'x'"), ([lesson()] * 501, "lessons: .*at most 500")],
)
def test_lessons_that_cannot_be_taught_are_refused(lessons: list[LabelledDrawing], words: str, parent: Run) -> None:
    with pytest.raises((ConfigError, DatasetError), match=words) as refusal:
        fine_tuning(parent, lessons)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("fields", [{"is_drawn": False}, {"shape": (3, 28, 28)}])
def test_only_drawn_characters_without_colour_can_be_taught(
    fields: dict[str, object], parent: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DATASETS, "mnist-sample", replace(DATASETS["mnist-sample"], **fields))  # type: ignore[arg-type]
    with pytest.raises(DatasetError, match="own drawings cannot be taught"):
        fine_tuning(parent, sevens())


def test_a_run_without_weights_has_no_branches(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no weights yet"):
        fine_tuning(RunStore(tmp_path).create(RunConfig()), sevens())
