"""Pages in a class: what an owner, a classmate, a teacher, a visitor and a stranger find and may do."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from cnnlab.data.datasets import own_pictures
from cnnlab.jobs.fair_share import Ticket
from cnnlab.jobs.job import Job
from cnnlab.jobs.sweep import SweepStore
from cnnlab.jobs.sweep_config import Between, SweepConfig
from cnnlab.networks.architecture import Draft
from cnnlab.networks.designs import Shelf
from cnnlab.networks.presets import PRESETS
from cnnlab.people.belonging import give
from cnnlab.people.members import Member, Members
from cnnlab.people.rights import Person
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.training.config import RunConfig
from cnnlab.ui.shell import person
from cnnlab.ui.shell.board import the_board
from tests.classroom.samples import ADA, BOB, TEACHER
from tests.data.pictures.photos import added, folder_of, photos
from tests.pages.conftest import ActAs
from tests.pages.driver import button, checked, open_page, opened, texts, told
from tests.samples import TINY

pytestmark = pytest.mark.slow

VISITOR = Person("visitor")


@pytest.fixture
def adas(listed_run: Run) -> Run:
    """Ada's finished run."""
    give(listed_run.folder, ADA.id)
    return listed_run


def keys(page: AppTest) -> set[str]:
    return {button.key for button in page.button if button.key}


@pytest.mark.parametrize("name", ["Home", "Train", "Inside", "Evaluate", "Draw", "Compare"])
def test_a_classmate_finds_a_run_when_it_is_shown_and_not_before(name: str, adas: Run, act_as: ActAs) -> None:
    act_as(BOB)
    query = {"run": adas.id, "runs": adas.id, "compare": adas.id}
    hidden = opened(name, **query)
    assert adas.title not in told(hidden)
    assert adas.summary.created.strftime("%H:%M:%S") not in told(hidden)
    if name not in ("Home", "Compare"):  # Home has no run to be about, and Compare lists none
        assert "does not exist here" in texts(hidden)
    if name in ("Inside", "Train"):  # the lists of the others are made in one way
        adas.show(True)
        assert adas.title in told(opened(name, **query))


def test_an_owner_shows_a_run_and_hides_it_again(adas: Run, act_as: ActAs) -> None:
    act_as(ADA)
    page = checked(opened("Train", run=adas.id))
    button(page, "Show to the class").click().run()
    assert adas.is_shown
    button(page, "Hide again").click().run()
    assert not adas.is_shown


@pytest.mark.parametrize("somebody", [ADA, TEACHER])
def test_who_deletes_on_compare_can_undo_it_and_nobody_else(somebody: Person, adas: Run, act_as: ActAs) -> None:
    Members(runs_folder() / ".people").put(ADA.id, Member(name="Ada"))
    act_as(somebody)
    page = checked(opened("Compare", compare=adas.id, run=adas.id))
    assert ("By" in page.dataframe[0].value.columns) == (somebody is TEACHER)
    button(page, "Delete").click().run()
    assert RunStore(runs_folder()).deleted()
    assert not page.warning  # that the run of the address is gone: its person has just deleted it
    link = {"Inside": {"run": adas.id}, "Compare": {"compare": adas.id}}
    for name, query in link.items():
        act_as(BOB)
        assert "do not exist here" in texts(opened(name, **query)).replace("does", "do")
        act_as(somebody)
        assert "deleted. You can restore" in texts(opened(name, **query)).replace("\\", "")
    button(page, "Undo").click().run()
    assert adas.folder.exists()


def test_a_delete_that_is_refused_says_which_run_keeps_it(adas: Run, act_as: ActAs) -> None:
    adas.change_about(title="Ada's *best*")
    adas.show(True)
    act_as(BOB)
    for selected, told_of in ((adas.id, r"Ada's \*best\*"), ("", "undo")):
        page = checked(opened("Compare", compare=selected))
        if not selected:
            button(page, "Clear selection").click().run()
        assert told_of in button(page, "Delete").help
        assert button(page, "Delete").disabled


def test_a_page_finds_out_once_who_somebody_is(adas: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Person] = []
    identified = person._identified

    def noted() -> Person:
        asked.append(identified())
        return asked[-1]

    monkeypatch.setattr(person, "_identified", noted)
    page = opened("Compare", compare=adas.id)
    assert len(asked) == 1
    page.run()
    assert len(asked) == 2


def test_who_has_a_link_to_a_running_training_does_not_see_its_owners_others(act_as: ActAs) -> None:
    act_as(ADA)
    hidden, shown = (
        Job.start(RunConfig(architecture=TINY, epochs=epochs), RunStore(runs_folder(), ADA.id), ticket=Ticket(ADA.id))
        for epochs in (999, 1000)
    )
    the_board().jobs.update({job.run.id: job for job in (hidden, shown)})
    shown.run.show(True)
    act_as(VISITOR)
    assert "training, " not in told(checked(opened("Inside", run=shown.run.id)))  # the badge of one's own


def test_a_pupil_joins_with_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "secrets", {"class": {"code": "blue whale"}})
    monkeypatch.setattr(person, "browser_token", lambda: "k" * 43)
    page = opened("Home")
    for code, name in (("wrong one", "Ada"), ("blue whale", "")):
        page.text_input(key="join.code").set_value(code)
        page.text_input(key="join.name").set_value(name)
        button(page, "Join").click().run()
        assert page.error
    page.text_input(key="join.code").set_value("blue whale")
    page.text_input(key="join.name").set_value("Ada :smile:")
    checked(button(page, "Join").click().run())
    assert page.title[0].value == "CNN Lab"
    assert "Member of the class" in texts(page)
    assert not [button for button in page.button if button.label == "Join"]
    other = checked(opened("Train"))
    (ada,) = Members(runs_folder() / ".people").names()
    run, shown = (RunStore(runs_folder(), ada).create(RunConfig()) for _ in range(2))
    run.open_up(True)
    shown.show(True)
    assert "new person" in texts(page)
    checked(button(page, "Leave now").click().run())
    assert "You have left." in texts(page)
    assert (run.is_open, shown.is_shown) == (False, True)
    assert button(other.run(), "Join")


def test_a_server_that_was_started_without_keys_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "secrets", {"class": {"code": "blue whale"}})
    monkeypatch.setattr(person, "browser_token", lambda: "")
    page = opened("Home")
    assert "app --class" in page.error[0].value
    assert not page.button


def test_wrong_rules_let_nobody_in_and_say_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "secrets", {"class": {"code": "short"}})
    page = opened("Home")
    assert "at least 6 characters" in page.error[0].value
    assert not page.button


def test_designs_are_their_owners_and_teachers(act_as: ActAs) -> None:
    draft = Draft.model_validate(PRESETS["quick"].model_dump()).model_copy(update={"name": "adas-net"})
    Shelf(runs_folder(), ADA.id).save(draft)
    Members(runs_folder() / ".people").put(ADA.id, Member(name="Ada"))
    for somebody, found in ((ADA, ["saved: adas-net"]), (BOB, []), (TEACHER, ["of Ada: adas-net"])):
        act_as(somebody)
        (start,) = [box for box in opened("Design").selectbox if box.label == "Start from"]
        assert [name for name in start.options if "adas-net" in name] == found


def test_sweeps_are_their_owners(act_as: ActAs) -> None:
    config = SweepConfig(space={"learning_rate": Between(low=0.01, high=0.1)}, trials=1)
    sweep = SweepStore(runs_folder(), ADA.id).create(config)
    act_as(BOB)
    assert "press **Start sweep**" in texts(opened("Sweep", sweep=sweep.id))
    act_as(ADA)
    assert sweep.title in told(opened("Sweep"))


def test_pictures_are_their_owners_until_they_are_shown(tmp_path: Path, act_as: ActAs) -> None:
    version = added(folder_of(photos(), tmp_path / "in"), own_pictures(ADA.id)).version
    act_as(BOB)
    for name in ("Data", "Train"):
        for dataset in ("photos", version.key):
            page = opened(name, dataset=dataset)
            assert str(version) not in told(page)
    own_pictures().show("photos", True)
    page = checked(opened("Data", dataset="photos"))
    assert str(version) in told(page)
    assert not [button for button in page.button if button.label.startswith(("Move", "Remove"))]
    act_as(ADA)
    page = checked(opened("Data", dataset="photos"))
    assert [button for button in page.button if button.label.startswith("Remove")]


def test_on_ones_own_machine_nothing_of_a_class_is_shown(listed_run: Run) -> None:
    page = open_page("Train", listed_run)
    assert "share" not in keys(page)
    assert not page.sidebar.button
