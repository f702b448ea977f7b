"""Handing a run in: the rules checked, its answers to the test images computed once, a copy frozen."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from shutil import rmtree

from cnnlab.classroom.assignment import Assignment, AssignmentError, Facts
from cnnlab.classroom.digits import fingerprint
from cnnlab.classroom.hand_in import HandIn, HandIns, as_bits, count_today
from cnnlab.people.rights import Person
from cnnlab.runs.copying import copied
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import About
from cnnlab.runs.trained import test_answers
from cnnlab.training.config import RunConfig

TAG = "handed in"
NONE_LEFT = "You have used up today's hand-ins. Try again tomorrow."


def refusals(run: Run, assignment: Assignment, own: Sequence[HandIn], now: datetime) -> list[str]:
    """Say in a sentence each why ``run`` cannot be handed in; ``own`` is what its person has handed in before.

    Raises RunError where the run is damaged.
    """
    summary = run.summary
    if assignment.is_over(now):
        return ["The deadline has passed."]
    if summary.status not in ("finished", "stopped") or summary.test_accuracy is None:
        return ["It has not been tested. Train it to its end, or stop it."]
    if summary.validation_accuracy is None:
        return ["It has no validation accuracy: its network came from elsewhere."]
    if any((one.source, one.epoch) == (run.id, summary.epoch) for one in own):
        return ["You have handed in this run."]
    left = [] if count_today(own, now) < assignment.hand_ins_a_day else [NONE_LEFT]
    return [*assignment.objections(facts_of(run)), *left]


def facts_of(run: Run) -> Facts:
    """Return what rules ask of a run that has ended. Raises RunError where it is damaged."""
    summary, config = run.summary, run.config
    epochs = max(run.epochs(), default=0) + epochs_before(config, RunStore(run.folder.parent))
    return Facts(config, summary.parameters, epochs, bool(summary.extensions), summary.rates_set)


def epochs_before(config: RunConfig, store: RunStore) -> int:
    """Count the epochs of a branch's ancestors that its weights went through, as far as these are in ``store``."""
    count, seen = 0, set[str]()
    with suppress(RunError):
        while (parent := config.comes_from) and parent.run not in seen:  # only a forged one is its own ancestor
            seen.add(parent.run)
            count += parent.epoch
            config = store.open(parent.run).config
    return count


def hand_in(
    run: Run, assignment: Assignment, person: Person, hand_ins: HandIns, now: datetime, looks: int = 0
) -> HandIn:
    """Freeze a copy of ``run``, which is nobody's, so that only teachers can change it; note its test answers.

    ``looks`` counts how often the person's runs were evaluated on the test images so far; this is one more. Raises
    AssignmentError with the first reason why it is refused, RunError or DatasetError where the run or its test images
    cannot be read, OSError where it cannot be written.
    """
    own = [one for one in hand_ins.of(assignment.id) if one.person == person.id]
    if refused := refusals(run, assignment, own, now):
        raise AssignmentError(refused[0])
    hits, summary, facts = test_answers(run).hits, run.summary, facts_of(run)
    copy = copied(run, About(title=f"{person.name}: {assignment.title}"[:100], tags=(TAG,)))
    handed = HandIn(
        run=copy.id,
        source=run.id,
        epoch=summary.epoch,
        person=person.id,
        at=now,
        validation_accuracy=summary.validation_accuracy or 0.0,
        epochs=facts.epochs,
        parameters=facts.parameters,
        looks=looks + 1,
        right=as_bits(hits),
        images=len(hits),
        taught=_taught(run),
    )
    try:
        is_added = hand_ins.add(assignment.id, handed, assignment.hand_ins_a_day)
    except OSError:
        rmtree(copy.folder, ignore_errors=True)
        raise
    if not is_added:
        rmtree(copy.folder, ignore_errors=True)
        raise AssignmentError(NONE_LEFT)
    return handed


def _taught(run: Run) -> tuple[str, ...]:
    """Return the fingerprints of all drawings that a run and its ancestors were trained on."""
    lineage = RunStore(run.folder.parent).lineage(run)
    return tuple(dict.fromkeys(fingerprint(lesson) for kin in lineage for lesson in kin.config.lessons))
