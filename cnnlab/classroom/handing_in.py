"""Handing a run in: the rules checked, its answers to the test images computed once, a copy frozen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from shutil import rmtree

from cnnlab.classroom.assignment import Assignment, AssignmentError, Facts
from cnnlab.classroom.digits import fingerprint
from cnnlab.classroom.hand_in import HandIn, HandIns, as_bits, count_today, is_known
from cnnlab.data.datasets import dataset_spec
from cnnlab.networks.architecture import summarise
from cnnlab.people.rights import Person
from cnnlab.runs.copying import copied
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import About, Summary
from cnnlab.runs.trained import test_answers
from cnnlab.training.config import RunConfig

TAG = "handed in"
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


def hand_in(
    run: Run, assignment: Assignment, person: Person, hand_ins: HandIns, now: datetime, looks: int = 0
) -> HandIn:
    """Freeze a copy of ``run``, which is nobody's, so that only teachers can change it; note its test answers.

    ``looks`` counts how often the person's runs were evaluated on the test images so far; this is one more. Raises
    AssignmentError with the first reason why it is refused, RunError or DatasetError where the run or its test images
    cannot be read, OSError where it cannot be written.
    """
    before, taught = run.summary, _taught(run)  # first: what is whole when the rules are checked was whole then
    if refused := refusals(run, assignment, _own(person, assignment, hand_ins), now):
        raise AssignmentError(refused[0])
    hits, facts = test_answers(run).hits, facts_of(run)
    with _frozen(run, before, f"{person.name}: {assignment.title}"[:100]) as copy:
        handed = HandIn(
            run=copy.id,
            source=run.id,
            epoch=before.epoch,
            person=person.id,
            at=now,
            validation_accuracy=before.validation_accuracy or 0.0,
            epochs=facts.epochs,
            parameters=facts.parameters,
            looks=looks + 1,
            right=as_bits(hits),
            images=len(hits),
            taught=taught,
        )
        if not hand_ins.add(assignment.id, handed, assignment.hand_ins_a_day):  # another page was faster
            raise AssignmentError([*refusals(run, assignment, _own(person, assignment, hand_ins), now), NONE_LEFT][0])
    return handed


@contextmanager
def _frozen(run: Run, checked: Summary, title: str) -> Iterator[Run]:
    """Yield a copy of ``run``, which is removed where the block fails.

    Raises AssignmentError where the run is no longer what was ``checked``, RunError as ``copied``.
    """
    copy = copied(run, About(title=title, tags=(TAG,)))
    try:
        if copy.summary != checked.model_copy(update={"id": copy.id}):
            raise AssignmentError("The run was trained meanwhile. Hand it in again.")
        yield copy
    except BaseException:
        rmtree(copy.folder, ignore_errors=True)
        raise


def _own(person: Person, assignment: Assignment, hand_ins: HandIns) -> list[HandIn]:
    return [one for one in hand_ins.of(assignment.id) if one.person == person.id]


def _taught(run: Run) -> tuple[str, ...]:
    """Return the fingerprints of all drawings that a run and its ancestors were trained on."""
    lineage = RunStore(run.folder.parent).lineage(run)
    return tuple(dict.fromkeys(fingerprint(lesson) for kin in lineage for lesson in kin.config.lessons))
