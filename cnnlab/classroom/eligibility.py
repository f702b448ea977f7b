"""Whether a run may be handed in for an assignment: what it is, against what the assignment asks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from cnnlab.classroom.assignment import Assignment, Facts
from cnnlab.classroom.hand_ins import HandIn, count_today, is_known
from cnnlab.data.datasets import dataset_spec
from cnnlab.networks.architecture import summarise
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig

NONE_LEFT = "You have used up today's hand-ins. Try again tomorrow."


def refusals(run: Run, assignment: Assignment, own: Sequence[HandIn], now: datetime) -> list[str]:
    """Say in a sentence each why ``run`` cannot be handed in; ``own`` is what its person has handed in before.

    Raises RunError where the run is damaged, DatasetError where its pictures are gone.
    """
    summary = run.summary
    if assignment.is_over(now):
        return ["The deadline has passed."]
    if summary.status not in ("finished", "stopped") or summary.test_accuracy is None:
        return ["It has not been tested. Train it to its end, or stop it."]
    if summary.validation_accuracy is None:
        return ["It has no validation accuracy: its network came from elsewhere."]
    if is_known(own, run.id, summary.epoch):
        return ["You have handed in this run."]
    left = [] if count_today(own, now) < assignment.hand_ins_a_day else [NONE_LEFT]
    return [*assignment.objections(facts_of(run)), *left]


def facts_of(run: Run) -> Facts:
    """Return what rules ask of a run that has ended. Raises RunError where it is damaged, else as ``dataset_spec``.

    Parameters are counted anew: the summary of an imported run can say anything.
    """
    summary, config, store = run.summary, run.config, RunStore(run.folder.parent)
    spec = dataset_spec(config.dataset)
    return Facts(
        config,
        sum(row.parameters for row in summarise(config.architecture, spec.shape, len(spec.classes))),
        max(run.epochs(), default=0) + epochs_before(config, store),
        is_extended=bool(summary.extensions),
        rates_set=summary.rates_set,
        is_traced=is_traced(config, store),
    )


def epochs_before(config: RunConfig, store: RunStore) -> int:
    """Count the epochs of a branch's ancestors that its weights went through, as far as these are in ``store``."""
    count, seen = 0, set[str]()
    with suppress(RunError):
        while (parent := config.comes_from) and parent.run not in seen:  # only a forged one is its own ancestor
            seen.add(parent.run)
            count += parent.epoch
            config = store.open(parent.run).config
    return count


def is_traced(config: RunConfig, store: RunStore) -> bool:
    """Check whether all runs that a branch comes from are in ``store``; so it is without any."""
    if not config.comes_from:
        return True
    with suppress(RunError):
        return store.origin(store.open(config.comes_from.run)) is not None
    return False
