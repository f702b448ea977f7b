"""A class whose pupils handed in runs and drew digits, on a server of its own: what pictures of Class show."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Page, expect

from cnnlab.classroom.assignment import Assignment, Assignments
from cnnlab.classroom.board import board
from cnnlab.classroom.digits import ClassDigits
from cnnlab.classroom.freezing import hand_in
from cnnlab.classroom.hand_ins import HandIns
from cnnlab.classroom.proofs import Proofs
from cnnlab.jobs.job import Job
from cnnlab.people.identity import people_folder
from cnnlab.people.members import Member, Members
from cnnlab.people.rights import Person
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig, parse_config
from tests.browser.server import server
from tests.classroom.samples import digits

CODE, TEACHERS_CODE = "blue whale 27", "red panda cub 4"
TASK = parse_config({"architecture": "quick", "epochs": 3, "train_fraction": 0.5})
# What each pupil changed; of several runs validation chooses one.
TRAINED: dict[str, tuple[dict[str, object], ...]] = {
    "Ada": ({"epochs": 6, "train_fraction": 1.0}, {"epochs": 4}),
    "Ben": ({"epochs": 6, "augmentation": "none"},),
    "Chloé": ({"learning_rate": 0.02}, {"learning_rate": 0.005}, {"batch_size": 64}),
    "Dev": ({"epochs": 2, "optimizer": "sgd", "learning_rate": 0.1},),
    "Emi": ({"epochs": 5, "train_fraction": 1.0},),
    "Finn": ({"epochs": 2, "train_fraction": 0.25},),
}
WRITERS = {"Ada": 0.0, "Ben": 25.0, "Emi": -30.0}  # how far to the side each draws, in pixels of the canvas
VERIFIED = 2  # of those on the board, the best


@contextmanager
def class_server() -> Iterator[tuple[str, Path]]:
    """Start the app for a class; yield its address and its folder of runs, both removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        secrets, runs = Path(folder) / "secrets.toml", Path(folder) / "runs"
        secrets.write_text(f'[class]\ncode = "{CODE}"\nteacher_code = "{TEACHERS_CODE}"\nvisitors = true\n')
        settings = {"CNNLAB_GRACE_SECONDS": "120", "CNNLAB_TRAININGS": "2"}
        with server(runs, "class_app.py", [f"--secrets.files={secrets}"], **settings) as address:
            yield address, runs


def give_task(runs: Path) -> Assignment:
    """Have pupils train for an assignment, hand in and draw digits; return the assignment."""
    now = datetime.now(UTC)
    task = Assignments(runs).make(
        title="Digits in six epochs",
        config=TASK,
        free=("epochs", "batch_size", "optimizer", "learning_rate", "augmentation", "train_fraction"),
        most_epochs=6,
        most_parameters=50_000,
        deadline=now + timedelta(days=6),
    )
    people = {name: Person("member", f"{number:032x}", name) for number, name in enumerate(TRAINED, 1)}
    for person in people.values():
        Members(people_folder(runs)).put(person.id, Member(name=person.name))
        for looks, changes in enumerate(TRAINED[person.name], 1):
            hand_in(_trained(changes, runs, person), task, person, HandIns(runs), datetime.now(UTC), looks)
    for name, shift in WRITERS.items():
        for digit in digits(shift):
            ClassDigits(runs).put(people[name].id, digit, digit.label)
    for _ in Proofs(runs).verify([row.best.run for row in board(HandIns(runs).of(task.id), task)][:VERIFIED]):
        pass
    return task


def join(page: Page, address: str, name: str = "Ms Dupont", code: str = TEACHERS_CODE) -> None:
    """Join the class with a code, by default as its teacher."""
    page.goto(address)
    page.get_by_label("Class code").fill(code)
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("button", name="Leave")).to_be_visible()


def _trained(changes: dict[str, object], runs: Path, person: Person) -> Run:
    config = RunConfig.model_validate({**TASK.model_dump(), **changes})
    job = Job.start(config, RunStore(runs, person.id))
    job.join()
    return job.run
