"""Who may change whose run, through what pages call."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cnnlab.people.rights import ADMINISTRATOR, Person
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.training.config import Parent, RunConfig
from cnnlab.ui.shell import person, run_changes, session

ADA, BOB = "a" * 32, "b" * 32
PEOPLE = {
    "owner": Person("member", ADA),
    "teacher": Person("teacher", BOB),
    "administrator": ADMINISTRATOR,
    "classmate": Person("member", BOB),
    "visitor": Person("visitor"),
    "stranger": Person("stranger"),
}
IN_CHARGE = ("owner", "teacher", "administrator")


@pytest.fixture
def run() -> Run:
    """Ada's."""
    return RunStore(runs_folder(), ADA).create(RunConfig())


def act_as(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(person, "me", lambda: PEOPLE[name])


def restore(run: Run) -> None:
    RunStore(runs_folder()).delete(run.id)
    run_changes.restore(run.id)


def delete_for_good(run: Run) -> None:
    RunStore(runs_folder()).delete(run.id)
    run_changes.delete_for_good(run.id)


CHANGES: dict[str, Callable[[Run], object]] = {
    "rename": lambda run: run_changes.describe(run, title="mine"),
    "show": lambda run: run_changes.show(run, True),
    "hide": lambda run: run_changes.show(run, False),
    "delete": lambda run: run_changes.delete(run.id),
    "restore": restore,
    "delete for good": delete_for_good,
}


@pytest.mark.parametrize("is_shown", [False, True])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", PEOPLE)
def test_only_the_owner_and_those_in_charge_change_a_run(
    name: str, change: str, is_shown: bool, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.show(is_shown)
    act_as(name, monkeypatch)
    if name in IN_CHARGE:
        CHANGES[change](run)
        return
    with pytest.raises(RunError, match="somebody else"):
        CHANGES[change](run)
    if change in ("restore", "delete for good"):
        (run,) = RunStore(runs_folder()).deleted()
    assert (run.about.title, run.is_shown) == ("", is_shown)


@pytest.mark.parametrize("name", PEOPLE)
def test_a_run_is_found_by_those_who_may_see_it(name: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    act_as(name, monkeypatch)
    assert bool(session.find_run(run.id)) == (name in IN_CHARGE)
    run.show(True)
    assert bool(session.find_run(run.id)) == (name != "stranger")
    RunStore(runs_folder()).delete(run.id)
    assert bool(run_changes.deleted_runs()) == (name in IN_CHARGE)


@pytest.mark.parametrize("name", ["classmate", "visitor", "stranger"])
def test_others_continue_no_run_and_start_nothing_from_a_hidden_one(
    name: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    act_as(name, monkeypatch)
    with pytest.raises(RunError, match="somebody else"):
        session.resume(run)
    branch = RunConfig(parent=Parent(run=run.id, epoch=0))
    with pytest.raises(RunError, match=r"somebody else|only members"):
        session.start(branch)


def test_a_classmate_may_branch_off_a_shown_run_and_the_branch_is_theirs(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.show(True)
    act_as("classmate", monkeypatch)
    session.check_sources(RunConfig(parent=Parent(run=run.id, epoch=0)))
    assert session.store().create(RunConfig()).owner == BOB


@pytest.mark.parametrize("name", ["visitor", "stranger"])
def test_only_members_train(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    act_as(name, monkeypatch)
    with pytest.raises(RunError, match="only members"):
        session.start(RunConfig())


def test_each_member_has_designs_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    folders = {}
    for name in PEOPLE:
        act_as(name, monkeypatch)
        folders[name] = session.shelf().folder
    assert folders["teacher"] == folders["administrator"]
    assert len({folders[name] for name in ("owner", "classmate", "teacher")}) == 3
