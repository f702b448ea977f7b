"""The page for visitors: it answers, it is closed to those who may not ask, and nothing leads on from it."""

from __future__ import annotations

from collections.abc import Callable
from inspect import unwrap
from pathlib import Path
from unittest.mock import Mock

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.data.datasets import own_pictures
from cnnlab.people.belonging import give
from cnnlab.people.rights import ADMINISTRATOR, STRANGER, Person
from cnnlab.runs.run import Run
from cnnlab.ui.shell import person
from cnnlab.ui.visit import page as module
from tests.data.pictures.photos import added, folder_of, photos, saved, scene
from tests.pages.driver import canvas_of, checked, metrics, new_session, texts
from tests.samples import SEVEN
from tests.trainings import train

ADA, BOB, VISITOR = Person("member", "a" * 32, "Ada"), Person("member", "b" * 32, "Bob"), Person("visitor")
CLOSED = "There is nothing to see at this address"


@pytest.fixture
def act_as(monkeypatch: pytest.MonkeyPatch) -> Callable[[Person], None]:
    return lambda somebody: monkeypatch.setattr(person, "me", lambda: somebody)


@pytest.fixture
def adas(listed_run: Run) -> Run:
    give(listed_run.folder, ADA.id)
    return listed_run


def opened(run_id: str) -> AppTest:
    return checked(new_session(visit=run_id).run())


def test_a_visitor_draws_and_the_network_answers(adas: Run, act_as: Callable[[Person], None]) -> None:
    adas.open_up(True)
    act_as(VISITOR)
    page = opened(adas.id)
    assert page.title[0].value
    assert "knows 10 classes" in texts(page)
    assert not page.sidebar.children
    assert not page.get("page_link")
    page.session_state["canvas"] = canvas_of(SEVEN)
    answered = metrics(checked(page.run()))
    assert {*answered} <= {"The network says", "Not sure"}
    assert answered


def test_a_visitor_of_a_network_of_photos_sends_a_picture(tmp_path: Path, act_as: Callable[[Person], None]) -> None:
    version = added(folder_of(photos(), tmp_path / "in"), own_pictures(ADA.id)).version
    run = train(dataset=version.key, architecture="quick")
    give(run.folder, ADA.id)
    run.open_up(True)
    act_as(VISITOR)
    page = opened(run.id)
    assert "Choose a picture of one of its classes." in texts(page)
    assert not metrics(page)
    page.file_uploader(key="visit.file").set_value(("one.png", saved(scene(0)), "image/png"))
    answered = metrics(checked(page.run()))
    assert {*answered} <= {"The network says", "Not sure"}
    assert answered
    page.file_uploader(key="visit.file").set_value(("one.png", b"no picture", "image/png")).run()
    assert page.error
    assert not metrics(page)


@pytest.mark.parametrize(
    ("somebody", "is_open", "may_ask"),
    [
        (ADA, False, True),
        (ADMINISTRATOR, False, True),
        (BOB, False, False),
        (BOB, True, True),
        (VISITOR, False, False),
        (STRANGER, True, False),
    ],
)
def test_it_is_there_for_those_who_may_ask(
    somebody: Person, is_open: bool, may_ask: bool, adas: Run, act_as: Callable[[Person], None]
) -> None:
    adas.open_up(is_open)
    act_as(somebody)
    page = opened(adas.id)
    assert (CLOSED in texts(page)) != may_ask
    assert (adas.title in page.title[0].value.replace("\\", "")) == may_ask


def test_a_stroke_on_a_page_that_was_closed_since_is_not_answered(
    adas: Run, act_as: Callable[[Person], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamlit.rerun", Mock(side_effect=InterruptedError))
    act_as(VISITOR)
    with pytest.raises(InterruptedError):
        unwrap(module._drawn)(adas, None, None)


@pytest.mark.parametrize("run_id", ["none", "../../etc", "x" * 500])
def test_a_link_to_no_run_leads_nowhere(run_id: str) -> None:
    assert CLOSED in texts(opened(run_id))
