"""Handing a run in: the rules checked, its answers to the test images computed once, a copy frozen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from shutil import rmtree

from cnnlab.classroom.assignment import Assignment, AssignmentError
from cnnlab.classroom.digits import fingerprint
from cnnlab.classroom.eligibility import NONE_LEFT, facts_of, refusals
from cnnlab.classroom.hand_ins import HandIn, HandIns, as_bits
from cnnlab.people.rights import Person
from cnnlab.runs.copying import copied
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import About, Summary
from cnnlab.runs.trained import load_trained, test_split

TAG = "handed in"


def hand_in(
    run: Run, assignment: Assignment, person: Person, hand_ins: HandIns, now: datetime, looks: int = 0
) -> HandIn:
    """Freeze a copy of ``run``, which is nobody's, so that only teachers can change it; note its test answers.

    ``looks`` counts how often the person's runs were evaluated on the test images so far. This is no look: it tells
    nobody more than the run's own test has told. Raises AssignmentError with the first reason why it is refused,
    RunError or DatasetError where the run or its test images cannot be read, OSError where it cannot be written.
    """
    before, taught = run.summary, _taught(run)  # first: what is whole when the rules are checked was whole then
    if refused := refusals(run, assignment, _own(person, assignment, hand_ins), now):
        raise AssignmentError(refused[0])
    hits, facts = load_trained(run).answers(test_split(run)).hits, facts_of(run)
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
            looks=looks,
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
