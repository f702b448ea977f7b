"""Who may do what with somebody's things, by each way: lists, links, buttons, programs, and the command line.

``MATRIX`` has a row for each action: who may, and how it is tried where no page is needed. Pages that a link opens are
looked at below, one by one, with all that they offer.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from cnnlab.__main__ import COMMANDS
from cnnlab.analysis.label_errors import FOLDS
from cnnlab.data.datasets import own_pictures
from cnnlab.data.pictures.version import SHORT, PictureSetError
from cnnlab.jobs.fair_share import Ticket
from cnnlab.jobs.job import Job
from cnnlab.jobs.sweep import Sweep, SweepStore
from cnnlab.jobs.sweep_config import Between, SweepConfig
from cnnlab.networks.architecture import Draft
from cnnlab.networks.designs import Shelf
from cnnlab.networks.operations import Operation
from cnnlab.networks.presets import PRESETS
from cnnlab.people.api_keys import Holder
from cnnlab.people.belonging import belonging_of, give
from cnnlab.people.rights import STRANGER, Action, Person
from cnnlab.people.rules import ClassRules
from cnnlab.runs.example import add_example, example_id
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.serve.api import PATH
from cnnlab.training.config import Parent, RunConfig
from cnnlab.ui.compare.actions import _may_pack
from cnnlab.ui.shell import api, person, run_changes, session
from cnnlab.ui.shell.board import the_board
from cnnlab.ui.shell.entrance import VISITED
from cnnlab.ui.shell.own_pictures import may_train_on, sees_pictures
from cnnlab.ui.shell.own_pictures import own_pictures as persons_pictures
from cnnlab.ui.sweep import watch
from tests.cli.commands import call
from tests.pages.driver import PAGES, checked, new_session, texts
from tests.samples import SEVEN, TINY, lesson

pytestmark = pytest.mark.slow

ADA, BOB, TEACHER = Person("member", "a" * 32), Person("member", "b" * 32), Person("teacher", "c" * 32)
VISITOR = Person("visitor")


class Stands(NamedTuple):
    """How somebody stands to Ada's things."""

    somebody: Person
    is_shown: bool = False  # the things, to the class
    is_open: bool = False  # the run, to visitors


PEOPLE = {
    "owner": Stands(ADA),
    "teacher": Stands(TEACHER),
    "classmate": Stands(BOB),
    "classmate, shown": Stands(BOB, is_shown=True),
    "classmate, open": Stands(BOB, is_open=True),
    "visitor": Stands(VISITOR),
    "visitor, shown": Stands(VISITOR, is_shown=True),
    "visitor, open": Stands(VISITOR, is_open=True),
    "stranger": Stands(STRANGER, is_shown=True, is_open=True),
}
OURS = {"owner", "teacher"}
TAKES = OURS | {"classmate, shown"}
SEES = TAKES | {"visitor, shown"}
ASKS = SEES | {"classmate, open", "visitor, open"}
MEMBERS = {name for name, stands in PEOPLE.items() if stands.somebody.role in ("member", "teacher")}


class Steered:
    """A training of a run that notes what it is told."""

    steps = 0

    def __init__(self, run: Run) -> None:
        self.run, self.told = run, list[str]()

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *given: self.told.append(name)


class Adas:
    """Ada's things, made when they are asked for."""

    def __init__(self, is_shown: bool, is_open: bool) -> None:
        self._is_shown, self._is_open = is_shown, is_open

    def run(self, **fields: Any) -> Run:
        run = RunStore(runs_folder(), ADA.id).create(RunConfig.model_validate(fields))
        run.show(self._is_shown)
        run.open_up(self._is_open)
        return run

    def deleted(self) -> Run:
        run = self.run()
        RunStore(runs_folder()).delete(run.id)
        return run

    def sweep(self) -> Sweep:
        config = SweepConfig(space={"learning_rate": Between(low=0.01, high=0.1)}, trials=1)
        return SweepStore(runs_folder(), ADA.id).create(config)

    def design(self) -> str:
        draft = Draft.model_validate(PRESETS["quick"].model_dump()).model_copy(update={"name": "adas-net"})
        Shelf(runs_folder(), ADA.id).save(draft)
        return draft.name

    def pictures(self) -> str:
        """The name of a data set, which has no pictures."""
        folder = own_pictures().folder / "photos"
        (folder / "version-1").mkdir(parents=True)
        give(folder, ADA.id)
        own_pictures().show(folder.name, self._is_shown)
        return folder.name


def _steer(act: Callable[[Job], None]) -> Callable[[Adas], bool]:
    def steer(adas: Adas) -> bool:
        steered = Steered(adas.run())
        act(cast(Job, steered))
        return bool(steered.told)

    return steer


def _continue_sweep(adas: Adas) -> bool:
    begun: list[Sweep] = []
    sweep = adas.sweep()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch, "_search", begun.append)
        patch.setattr(watch, "_board", dict)
        patch.setattr(session, "trainings", list)
        watch._go_on(sweep)
    return bool(begun)


def _designs(adas: Adas) -> bool:
    name = adas.design()
    others = session.shelf().others().values() if person.me().is_in_charge else ()
    return name in [*session.shelf().names(), *(name for shelf in others for name in shelf.names())]


def _restores(adas: Adas) -> bool:
    gone = adas.deleted()
    is_listed = gone.id in [run.id for run in run_changes.deleted_runs()]
    run_changes.restore(gone.id)
    return is_listed


def _resumes(adas: Adas) -> bool:
    """A run without a checkpoint starts over; what is tried is whether it gets so far."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "_added", lambda *given: None)
        patch.setattr(session, "_taken", lambda job: job)
        session.resume(adas.run())
    return True


def _swap(run: Run) -> Operation:
    return Operation(kind="swap", layer="conv1", source=f"{run.id}@0")


def _done(act: Callable[[Adas], object]) -> Callable[[Adas], bool]:
    def do(adas: Adas) -> bool:
        act(adas)
        return True

    return do


MATRIX: dict[str, tuple[set[str], Callable[[Adas], bool]]] = {
    "ask": (ASKS, lambda adas: bool(session.find_run(adas.run().id, Action.PREDICT))),
    "see": (SEES, lambda adas: bool(session.find_run(adas.run().id))),
    "stop": (OURS, _steer(run_changes.stop)),
    "pause": (OURS, _steer(run_changes.pause)),
    "go on": (OURS, _steer(run_changes.go_on)),
    "change the rate": (OURS, _steer(lambda job: run_changes.change_learning_rate(job, 0.1))),
    "remove from the queue": (OURS, _steer(session.remove)),
    "resume": (OURS, _resumes),
    "rename": (OURS, _done(lambda adas: run_changes.describe(adas.run(), title="mine"))),
    "tag": (OURS, _done(lambda adas: run_changes.describe(adas.run(), tags=("mine",)))),
    "show": (OURS, _done(lambda adas: run_changes.show(adas.run(), True))),
    "open": (OURS, _done(lambda adas: run_changes.open_up(adas.run(), True))),
    "delete": (OURS, _done(lambda adas: run_changes.delete(adas.run().id))),
    "restore": (OURS, _restores),
    "delete for good": (OURS, _done(lambda adas: run_changes.delete_for_good(adas.deleted().id))),
    "branch": (
        TAKES,
        _done(lambda adas: session.check_sources(RunConfig(parent=Parent(run=adas.run().id, epoch=0)))),
    ),
    "swap a layer with its": (
        TAKES,
        _done(lambda adas: session.check_sources(RunConfig.model_construct(operations=(_swap(adas.run()),)))),
    ),
    "export": (TAKES, lambda adas: person.may(Action.EXPORT, adas.run())),
    "archive": (TAKES, lambda adas: _may_pack(cast(Any, adas.run()))),
    "archive with drawings": (OURS, lambda adas: _may_pack(cast(Any, _taught(adas)))),
    "see the sweep": (OURS, lambda adas: person.may(Action.SEE, adas.sweep())),
    "stop the sweep": (OURS, lambda adas: person.may(Action.STOP, adas.sweep())),
    "continue the sweep": (OURS, _continue_sweep),
    "find the design": (OURS, _designs),
    "see the data set": (SEES, lambda adas: sees_pictures(adas.pictures())),
    "train on the data set": (TAKES, lambda adas: _trains_on(adas.pictures())),
    "change the data set": (OURS, _done(lambda adas: persons_pictures().remove(adas.pictures()))),
    "show the data set": (OURS, _done(lambda adas: persons_pictures().show(adas.pictures(), True))),
}


def _taught(adas: Adas) -> Run:
    parent = adas.run()
    return adas.run(parent=str(Parent(run=parent.id, epoch=1)), lessons=[lesson().model_dump()])


def _trains_on(name: str) -> bool:
    key = f"{name}@1:{'0' * SHORT}"
    session.check_sources(RunConfig.model_construct(dataset=key))
    return may_train_on(key)


@pytest.fixture
def act_as(monkeypatch: pytest.MonkeyPatch) -> Callable[[Person], None]:
    monkeypatch.setattr(person, "class_rules", lambda: ClassRules(code="blue whale", visitors=True))
    monkeypatch.setattr(person, "browser_token", lambda: "k" * 43)
    return lambda somebody: monkeypatch.setattr(person, "me", lambda: somebody)


@pytest.mark.parametrize("action", MATRIX)
def test_what_a_button_would_do_is_checked_where_it_is_done(
    action: str, act_as: Callable[[Person], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where no page shows the button: one may have been shown before."""
    monkeypatch.setattr("cnnlab.ui.shell.own_pictures.get_script_run_ctx", lambda suppress_warning: object())
    theirs, attempt = MATRIX[action]
    found = set()
    for number, (name, stands) in enumerate(PEOPLE.items()):
        monkeypatch.setenv("CNNLAB_RUNS", str(tmp_path / f"runs-{number}"))
        monkeypatch.setenv("CNNLAB_PICTURES", str(tmp_path / f"pictures-{number}"))
        act_as(stands.somebody)
        try:
            if attempt(Adas(stands.is_shown, stands.is_open)):
                found.add(name)
        except (RunError, PictureSetError):
            pass
    assert found == theirs


def opened(name: str, **query: str) -> AppTest:
    page = new_session(**query)
    if name != "Home":
        page.switch_page(PAGES[name])
    return checked(page.run())


def offered(page: AppTest, run: Run) -> set[str]:
    """The keys of buttons that can be pressed, and the labels of those without."""
    buttons = [*page.button, *page.get("download_button")]
    enabled = [button for button in buttons if not button.proto.disabled]
    return {(getattr(button, "key", "") or button.proto.label).removesuffix(f".{run.id}") for button in enabled}


@pytest.fixture
def adas(listed_run: Run) -> Run:
    give(listed_run.folder, ADA.id)
    return listed_run


TRAIN = {"more.go": OURS, "share": OURS, "open": OURS, "branch.go": TAKES}
COMPARE = {"Delete": OURS, "Report": TAKES, "Download": TAKES}


@pytest.mark.parametrize("name", PEOPLE)
def test_a_link_to_a_run_offers_each_what_they_may_do(name: str, adas: Run, act_as: Callable[[Person], None]) -> None:
    stands = PEOPLE[name]
    adas.show(stands.is_shown)
    adas.open_up(stands.is_open)
    act_as(stands.somebody)
    for page, table in (("Train", TRAIN), ("Compare", COMPARE)):
        shown = opened(page, run=adas.id, compare=adas.id)
        assert {*table} & offered(shown, adas) == {key for key, who in table.items() if name in who}, page
    assert (adas.title in everything(opened("Inside", run=adas.id, runs=adas.id))) == (name in SEES)
    visited = opened("Home", visit=adas.id)
    assert ("This network knows" in texts(visited)) == (name in ASKS)
    assert not visited.sidebar.children


def everything(page: AppTest) -> str:
    choices = [choice for box in (*page.selectbox, *page.multiselect) for choice in box.options]
    return "\n".join([texts(page), *choices])


@pytest.mark.parametrize("name", PEOPLE)
def test_a_link_to_a_training_lets_its_owner_and_teachers_steer_it(name: str, act_as: Callable[[Person], None]) -> None:
    stands = PEOPLE[name]
    job = Job.start(RunConfig(architecture=TINY, epochs=1000), RunStore(runs_folder(), ADA.id), ticket=Ticket(ADA.id))
    the_board().jobs[job.run.id] = job
    job.run.show(stands.is_shown)
    job.run.open_up(stands.is_open)
    act_as(stands.somebody)
    assert bool({"pause", "stop"} & offered(opened("Train", run=job.run.id), job.run)) == (name in OURS)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("somebody", [VISITOR, STRANGER], ids=["visitor", "stranger"])
def test_who_has_not_come_in_sees_the_entrance_alone(
    page: str, somebody: Person, act_as: Callable[[Person], None]
) -> None:
    act_as(somebody)
    assert [button.label for button in opened(page).button] == ["Join"]


@pytest.mark.parametrize("page", VISITED)
def test_a_visitor_does_not_see_the_example_which_nobody_has_shown(
    page: str, act_as: Callable[[Person], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CNNLAB_EXAMPLE")
    add_example(runs_folder())
    act_as(VISITOR)
    for query in ({"run": example_id()}, {"visit": example_id()}):
        assert [button.label for button in opened(page, **query).button] == ["Join"]


def test_only_the_owner_has_training_images_checked_which_the_run_keeps(
    adas: Run, act_as: Callable[[Person], None]
) -> None:
    adas.show(True)
    for somebody in (VISITOR, BOB, ADA):
        act_as(somebody)
        page = opened("Evaluate", run=adas.id, view="Label errors")
        page.segmented_control(key="evaluate.labels").set_value("training images")
        labels = {button.label for button in checked(page.run()).button}
        assert (f"Train {FOLDS} networks" in labels) == (somebody is ADA)


def test_a_program_is_answered_as_its_key_holder_would_be(adas: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(person, "class_rules", lambda: ClassRules(code="blue whale", visitors=True))
    found = {}
    with TestClient(Starlette(routes=api.routes())) as client:
        for name, (somebody, is_shown, is_open) in PEOPLE.items():
            adas.show(is_shown)
            adas.open_up(is_open)
            has_key = somebody.role in ("member", "teacher")
            key = person.api_keys().make(Holder(id=somebody.id, role=somebody.role)) if has_key else "none"
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
            content = json.dumps({"strokes": SEVEN.strokes, "pen": SEVEN.pen})
            found[name] = client.post(PATH, params={"run": adas.id}, content=content, headers=headers).status_code
    assert {name for name, status in found.items() if status == 200} == ASKS & MEMBERS
    assert {name for name, status in found.items() if status == 404} == MEMBERS - ASKS
    assert {name for name, status in found.items() if status == 401} == {*PEOPLE} - MEMBERS


def test_programs_can_do_nothing_but_ask() -> None:
    assert [(getattr(route, "path", ""), getattr(route, "methods", None)) for route in api.routes()] == [
        (PATH, None)  # it refuses all methods but POST by itself
    ]


@pytest.mark.parametrize("command", ["list", "predict", "pack", "program", "verify"])
def test_the_command_line_is_the_administrators_who_asks_nobody(
    command: str, adas: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A run stays its owner's; who unpacks an archive on the command line makes a run that is nobody's."""
    arguments = {
        "list": [],
        "predict": [adas.id, str(drawing(tmp_path))],
        "pack": [adas.id, "--to", str(tmp_path / "runs.zip")],
        "program": [adas.id],
        "verify": [adas.id, "--level", "0"],
    }
    assert command in [one.name for one in COMMANDS]
    call(capsys, command, *arguments[command])
    assert adas.owner == ADA.id
    if command == "pack":
        call(capsys, "unpack", str(tmp_path / "runs.zip"), "--runs", str(tmp_path / "other"))
        assert not belonging_of(tmp_path / "other" / adas.id).owner


def drawing(folder: Path) -> Path:
    path = folder / "drawing.json"
    path.write_text(json.dumps([{"strokes": SEVEN.strokes, "pen": SEVEN.pen}]))
    return path
