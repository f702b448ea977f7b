"""Teaching: a run fine-tuned on its user's own drawings, and what that changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cnnlab.data.datasets import dataset_spec
from cnnlab.data.handwriting import check_labelled_drawings, drawing_images
from cnnlab.data.splits import Split
from cnnlab.drawings.strokes import LabelledDrawing
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore
from cnnlab.runs.trained import Trained, load_trained, test_split
from cnnlab.training.config import RunConfig, parse_config
from cnnlab.training.device import for_this_machine

REPLAYED = 4000  # of the parent's training images beside the lessons, in each epoch
ASIDE = 3  # every third drawing of a label

_SETTINGS: dict[str, Any] = {
    "epochs": 2,
    "batch_size": 128,
    "optimizer": "adamw",
    "learning_rate": 0.001,
    "weight_decay": 0.01,
    "schedule": "cosine",
    "augmentation": "auto",
    "early_stopping": 0,
}


@dataclass(frozen=True)
class Change:
    """How many of some images a parent got right, and its branch."""

    images: int
    before: int
    after: int


def fine_tuning(parent: Run, lessons: Sequence[LabelledDrawing], epoch: int | None = None) -> RunConfig:
    """A branch of ``parent`` that learns ``lessons``, from ``epoch`` on or by default from its judged one.

    Some of the parent's training images are rehearsed beside the lessons, so that little is forgotten (Robins 1995,
    "Catastrophic forgetting, rehearsal and pseudorehearsal"). What the parent held out for validation is held out
    again. Lessons that the parent itself was taught are among them only where they are named.
    Raises RunError where the parent has no weights, DatasetError where its data set takes no such lessons, ConfigError
    where they are too many.
    """
    config, spec = for_this_machine(parent.config), dataset_spec(parent.config.dataset)
    check_labelled_drawings(lessons, spec)
    begin = parent.judged_epoch if epoch is None else epoch
    left = spec.sizes[0] * (1 - config.validation_fraction)
    own = {
        "parent": {"run": parent.id, "epoch": begin},
        "lessons": lessons,
        "train_fraction": min(config.train_fraction, max(0.01, REPLAYED / left)),
    }
    return parse_config(config.model_dump() | _SETTINGS | own)


def set_aside(lessons: Sequence[LabelledDrawing]) -> tuple[list[LabelledDrawing], list[LabelledDrawing]]:
    """What is taught, and what is kept to judge by: of each label every third drawing, as far as there are three."""
    seen: Counter[str] = Counter()
    taught: list[LabelledDrawing] = []
    kept: list[LabelledDrawing] = []
    for lesson in lessons:
        seen[lesson.label] += 1
        (taught if seen[lesson.label] % ASIDE else kept).append(lesson)
    return taught, kept


def changes(branch: Run, store: RunStore, others: Sequence[LabelledDrawing] = ()) -> dict[str, Change]:
    """What became of the drawings that ``branch`` was "taught", of "others" that it was not, and of the "test" images.

    Where there are none of a kind they are left out. Raises RunError where the branch, its parent in ``store``, or the
    weights of either are missing.
    """
    config = branch.config
    if not config.parent:
        raise RunError(f"run {branch.id} has no parent to compare it with")
    parent = store.open(config.parent.run)
    before, after = load_trained(parent, config.parent.epoch), load_trained(branch)
    found = {
        kind: _on_drawings(before, after, drawings, config.dataset)
        for kind, drawings in (("taught", config.lessons), ("others", others))
        if drawings
    }
    split = test_split(branch)  # by which both are judged, for the branch has seen what its parent saw
    hits = [_test_hits(run, trained, split) for run, trained in ((parent, before), (branch, after))]
    return {**found, "test": Change(len(split), *hits)}


def _on_drawings(before: Trained, after: Trained, drawings: Sequence[LabelledDrawing], dataset: str) -> Change:
    split = drawing_images(drawings, dataset_spec(dataset))
    return Change(len(split), *(int(trained.answers(split).hits.sum()) for trained in (before, after)))


def _test_hits(run: Run, trained: Trained, split: Split) -> int:
    """As the run was judged by as many images, else as its network answers now."""
    summary = run.summary
    if summary.test_accuracy is not None and (summary.epoch, sum(summary.support.values())) == (
        trained.epoch,
        len(split),
    ):
        return round(summary.test_accuracy * len(split))
    run.count_look(trained.epoch)
    return int(trained.answers(split).hits.sum())
