from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from cnnlab.classroom import freezing as module
from cnnlab.classroom.assignment import AssignmentError
from cnnlab.classroom.digits import fingerprint
from cnnlab.classroom.eligibility import refusals
from cnnlab.classroom.freezing import hand_in
from cnnlab.classroom.hand_ins import HandIns
from cnnlab.data.splits import Split
from cnnlab.people.belonging import give
from cnnlab.people.rights import Action, may
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.runs.trained import load_trained
from cnnlab.runs.trained import test_split as split_of
from cnnlab.training.config import RunConfig
from tests.classroom.samples import ADA, NOW, TEACHER, assignment
from tests.samples import lesson

pytestmark = pytest.mark.usefixtures("listed_run")


@pytest.fixture
def hand_ins() -> HandIns:
    return HandIns(runs_folder())


def test_a_handed_in_run_is_a_copy_that_its_owner_cannot_change(listed_run: Run, hand_ins: HandIns) -> None:
    give(listed_run.folder, ADA.id)
    task, looks = assignment(config=listed_run.config), listed_run.looks
    handed = hand_in(listed_run, task, ADA, hand_ins, NOW, looks=7)
    assert hand_ins.of(task.id) == [handed]
    copy = Run(runs_folder() / handed.run)
    assert not any(may(ADA, action, copy) for action in Action)
    assert all(may(TEACHER, action, copy) for action in Action)
    assert copy.title == "Ada: Digits"
    expected = load_trained(copy).answers(split_of(copy)).hits
    assert np.array_equal(handed.hits, expected)
    assert expected.mean() == pytest.approx(listed_run.summary.test_accuracy)
    assert listed_run.looks == looks  # Train goes on saying that it was tested once
    assert (handed.looks, handed.epochs, handed.taught) == (7, 2, ())


def test_the_same_run_is_handed_in_once_and_others_as_often_as_allowed(listed_run: Run, hand_ins: HandIns) -> None:
    task = assignment(config=listed_run.config, hand_ins_a_day=1)
    handed = hand_in(listed_run, task, ADA, hand_ins, NOW)
    with pytest.raises(AssignmentError, match="You have handed in this run"):
        hand_in(listed_run, task, ADA, hand_ins, NOW)
    other = handed.model_copy(update={"source": "another"})
    assert refusals(listed_run, task, [other], NOW) == ["You have used up today's hand-ins. Try again tomorrow."]
    assert refusals(listed_run, task, [other], NOW + timedelta(days=1)) == []
    assert len(RunStore(runs_folder()).all()) == 2  # the run and one copy


def test_two_at_once_do_not_pass_the_limit_and_leave_no_copy(
    listed_run: Run, hand_ins: HandIns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hand_ins, "add", lambda *_: False)  # the other was faster
    with pytest.raises(AssignmentError, match="used up"):
        hand_in(listed_run, assignment(config=listed_run.config), ADA, hand_ins, NOW)
    assert len(RunStore(runs_folder()).all()) == 1


def test_one_that_another_page_hands_in_meanwhile_is_handed_in_once(
    listed_run: Run, hand_ins: HandIns, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = assignment(config=listed_run.config)
    handed = hand_in(listed_run, task, ADA, hand_ins, NOW)
    seen = iter([[], [handed], [handed]])  # before it is tested, when it is added, and why it was not
    monkeypatch.setattr(hand_ins, "of", lambda _: next(seen))
    with pytest.raises(AssignmentError, match="You have handed in this run"):
        hand_in(listed_run, task, ADA, hand_ins, NOW)
    assert len(RunStore(runs_folder()).all()) == 2


def test_one_that_is_trained_while_it_is_tested_is_refused_and_leaves_no_copy(
    listed_run: Run, hand_ins: HandIns, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trained_meanwhile(run: Run) -> Split:
        run.write_summary(run.summary.model_copy(update={"rates_set": 1}))
        return split_of(run)

    monkeypatch.setattr(module, "test_split", trained_meanwhile)
    with pytest.raises(AssignmentError, match="trained meanwhile"):
        hand_in(listed_run, assignment(config=listed_run.config), ADA, hand_ins, NOW)
    assert len(RunStore(runs_folder()).all()) == 1


def test_drawings_that_taught_a_run_or_its_parent_are_noted(listed_run: Run, hand_ins: HandIns) -> None:
    path = listed_run.folder / "config.json"
    taught = listed_run.config.model_copy(update={"lessons": (lesson(),)})
    path.write_text(taught.model_dump_json())
    task = assignment(config=RunConfig.model_validate({"architecture": "lean", "epochs": 2}), may_continue=True)
    assert hand_in(listed_run, task, ADA, hand_ins, NOW).taught == (fingerprint(lesson()),)
