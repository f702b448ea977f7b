"""Fine-tuning of a run on the user's own labelled drawings, and its effect."""

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

REPLAYED = 4000  # of the parent's training images beside the drawings, in each epoch
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
    # What suits a long training from the start, or would change the share of the drawings.
    "warmup_epochs": 0,
    "weight_average": 0.0,
    "mixup": 0.0,
    "cutmix": 0.0,
    "class_balance": "none",
}


@dataclass(frozen=True)
class Change:
    """How many of some images a parent and its branch got right."""

    images: int
    before: int
    after: int


def fine_tuning(parent: Run, lessons: Sequence[LabelledDrawing], epoch: int | None = None) -> RunConfig:
    """Return the config of a branch of ``parent`` that trains on ``lessons`` from ``epoch``, by default the tested.

    Some of the parent's training images are trained on too, so that little is forgotten (Robins 1995, "Catastrophic
    forgetting, rehearsal and pseudorehearsal"). The parent's validation images are held out again. Drawings that the
    parent itself was trained on are included only where ``lessons`` has them. Raises RunError where the parent has no
    weights, DatasetError where its data set takes no such drawings, ConfigError where they are too many.
    """
    config, spec = for_this_machine(parent.config), dataset_spec(parent.config.dataset)
    check_labelled_drawings(lessons, spec)
    begin = parent.judged_epoch if epoch is None else epoch
    left = spec.sizes[0] * (1 - config.validation_fraction)
    own = {
        "parent": {"run": parent.id, "epoch": begin},
        "filters_kept": 1.0,
        "operations": (),
        "start": None,
        "start_rate": 1.0,
        "lessons": lessons,
        "train_fraction": min(config.train_fraction, max(0.01, REPLAYED / left)),
    }
    return parse_config(config.model_dump() | _SETTINGS | own)


def set_aside(lessons: Sequence[LabelledDrawing]) -> tuple[list[LabelledDrawing], list[LabelledDrawing]]:
    """Split drawings into those to train on and those to test on: of each label every third, where there are three."""
    seen: Counter[str] = Counter()
    taught: list[LabelledDrawing] = []
    kept: list[LabelledDrawing] = []
    for lesson in lessons:
        seen[lesson.label] += 1
        (taught if seen[lesson.label] % ASIDE else kept).append(lesson)
    return taught, kept


def changes(branch: Run, store: RunStore, others: Sequence[LabelledDrawing] = ()) -> dict[str, Change]:
    """Return the results on the drawings "taught" to ``branch``, on "others" that were not, and on the "test" images.

    Kinds without images are left out. Raises RunError where the branch, its parent in ``store``, or the weights of
    either are missing.
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
    split = test_split(branch)  # tests both, because the branch was trained on its parent's images too
    hits = [_test_hits(run, trained, split) for run, trained in ((parent, before), (branch, after))]
    return {**found, "test": Change(len(split), *hits)}


def _on_drawings(before: Trained, after: Trained, drawings: Sequence[LabelledDrawing], dataset: str) -> Change:
    split = drawing_images(drawings, dataset_spec(dataset))
    return Change(len(split), *(int(trained.answers(split).hits.sum()) for trained in (before, after)))


def _test_hits(run: Run, trained: Trained, split: Split) -> int:
    """Return the hits of the run's own test where it had as many images, else those of its network now."""
    summary = run.summary
    if summary.test_accuracy is not None and (summary.epoch, sum(summary.support.values())) == (
        trained.epoch,
        len(split),
    ):
        return round(summary.test_accuracy * len(split))
    run.count_look(trained.epoch)
    return int(trained.answers(split).hits.sum())
