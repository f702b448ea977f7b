"""An assignment on the pages: made by a teacher, trained for and handed in by pupils, seen on the board."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.classroom.assignment import Assignment, Assignments
from cnnlab.classroom.digits import ClassDigits
from cnnlab.classroom.freezing import hand_in
from cnnlab.classroom.hand_ins import HandIns
from cnnlab.classroom.proofs import Proof, Proofs
from cnnlab.data.table import DIGITS
from cnnlab.drawings.example_digits import example_digits
from cnnlab.drawings.strokes import rounded, to_canvas
from cnnlab.jobs.worker import Worker
from cnnlab.people.belonging import give
from cnnlab.people.members import Member, Members
from cnnlab.people.rights import ADMINISTRATOR, STRANGER
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.ui.classroom import teacher
from cnnlab.ui.shell.state import CANVAS_LATEST
from tests.classroom.samples import ADA, BOB, TEACHER, digits
from tests.pages.conftest import ActAs
from tests.pages.driver import button, canvas_of, checked, opened, texts, told
from tests.trainings import TWO_EPOCHS, train

pytestmark = pytest.mark.slow


def given(**fields: Any) -> Assignment:
    return Assignments(runs_folder()).make(**{"title": "Digits race", "config": TWO_EPOCHS, **fields})


@pytest.fixture
def adas(listed_run: Run) -> Run:
    give(listed_run.folder, ADA.id)
    for somebody in (ADA, BOB):
        Members(runs_folder() / ".people").put(somebody.id, Member(name=somebody.name))
    return listed_run


def board_of(page: AppTest) -> list[dict[Hashable, Any]]:
    return page.dataframe[0].value.to_dict("records")


def test_without_a_class_the_page_says_how_to_get_one(act_as: ActAs) -> None:
    act_as(ADMINISTRATOR)
    assert "has no class" in texts(checked(opened("Class")))
    act_as(STRANGER)
    assert [found.label for found in opened("Class").button] == ["Join"]


def test_a_class_without_an_assignment_says_what_to_do_next(act_as: ActAs) -> None:
    act_as(TEACHER)
    assert "Make an assignment" in texts(checked(opened("Class")))
    act_as(ADA)
    assert "no assignment yet" in texts(checked(opened("Class")))


def test_a_teacher_makes_an_assignment_of_trains_settings_changes_and_removes_it(act_as: ActAs) -> None:
    act_as(TEACHER)
    page = checked(opened("Train", architecture="quick", epochs="3"))
    button(page, "Make").click().run()
    assert page.error[0].value.replace("\\", "") == "Give it a title."
    page.text_input(key="assignment.new.title").set_value("Digits race")
    page.number_input(key="assignment.new.most_epochs").set_value(0)
    button(page, "Make").click().run()
    assert page.error[0].value.replace("\\", "") == "Epochs, at most: at least 1."
    page.multiselect(key="assignment.new.free").set_value(["learning_rate"])
    page.number_input(key="assignment.new.most_epochs").set_value(5)
    checked(button(page, "Make").click().run())
    (made,) = Assignments(runs_folder()).all()
    assert (made.config.architecture.name, made.config.epochs, made.free) == ("quick", 3, ("learning_rate",))
    page = checked(opened("Class", assignment=made.id))
    assert page.code[0].value.endswith(f"Train?assignment={made.id}")
    page.text_input(key=f"assignment.{made.id}.title").set_value("Race")
    checked(button(page, "Save").click().run())
    assert "Race" in page.subheader[0].value
    button(page, "Remove").click().run()
    assert "no other assignment" in texts(page)
    assert "Make an assignment" in texts(checked(page))
    button(page, "Undo").click().run()
    assert "Race" in checked(page).subheader[0].value


def test_pupils_cannot_make_change_or_remove_assignments(act_as: ActAs) -> None:
    task = given()
    act_as(ADA)
    pages = [checked(opened("Train")), checked(opened("Class", assignment=task.id))]
    labels = {found.label for page in pages for found in page.button}
    assert not labels & {"Make", "Save", "Remove", "Verify runs"}


def test_fixed_settings_are_locked_whatever_a_link_asks_and_free_ones_are_not(act_as: ActAs) -> None:
    task = given(free=("optimizer", "learning_rate"), most_epochs=2)
    act_as(ADA)
    page = checked(opened("Train", assignment=task.id, batch_size="512", learning_rate="0.02"))
    assert page.number_input(key="form.batch_size").disabled
    assert page.number_input(key="form.batch_size").value == TWO_EPOCHS.batch_size
    assert page.selectbox(key="form.architecture").disabled
    assert not page.number_input(key="form.learning_rate").disabled
    named = [page.selectbox(key="form.optimizer").label, page.number_input(key="form.learning_rate").label]
    assert f"You may change: {', '.join(named)}. All else is fixed." in texts(page)
    page.session_state["form.batch_size"] = 64
    checked(page.run())
    assert page.number_input(key="form.batch_size").value == TWO_EPOCHS.batch_size
    checked(button(page, "Train freely").click().run())
    assert not page.number_input(key="form.batch_size").disabled
    assert "assignment" not in page.query_params


def test_a_form_beyond_the_limits_cannot_be_trained(act_as: ActAs) -> None:
    task = given(free=("epochs",), most_epochs=2)
    act_as(ADA)
    page = checked(opened("Train", assignment=task.id))
    page.number_input(key="form.epochs").set_value(3).run()
    assert "At most 2 epochs are allowed" in page.error[0].value.replace("\\", "")
    assert button(page, "Train").disabled


def test_a_link_to_an_assignment_that_is_gone_says_so(act_as: ActAs) -> None:
    act_as(ADA)
    page = checked(opened("Train", assignment="b" * 16))
    assert "does not exist here" in texts(page)
    assert not page.selectbox(key="form.architecture").disabled


def test_a_pupil_hands_in_and_is_on_the_board_while_the_copy_is_the_teachers(adas: Run, act_as: ActAs) -> None:
    task = given()
    act_as(ADA)
    page = checked(opened("Train", run=adas.id))
    assert "Today you have 5 hand-ins left" in texts(page)
    checked(button(page, "Hand in").click().run())
    assert "This run is handed in" in texts(page)
    (handed,) = HandIns(runs_folder()).of(task.id)
    assert handed.looks == adas.looks
    (row,) = board_of(checked(opened("Class")))
    assert (row["Place"], row["Name"], row["Hand-ins"]) == ("1", "Ada", 1)
    assert handed.run not in told(opened("Compare"))
    act_as(BOB)
    assert board_of(checked(opened("Class")))[0]["Name"] == "Ada"
    act_as(TEACHER)
    assert "Ada: Digits race" in told(checked(opened("Compare", compare=handed.run)))


def test_only_the_owner_is_offered_to_hand_in_and_only_what_keeps_the_rules(adas: Run, act_as: ActAs) -> None:
    adas.show(True)
    given(free=(), config=TWO_EPOCHS.model_copy(update={"learning_rate": 0.5}))
    act_as(BOB)
    assert "Hand in" not in {found.label for found in opened("Train", run=adas.id).button}
    act_as(ADA)
    page = checked(opened("Train", run=adas.id))
    assert button(page, "Hand in").disabled
    assert "Learning rate: 0.01 instead of 0.5." in texts(page).replace("\\", "")


def test_after_the_deadline_nothing_is_handed_in(adas: Run, act_as: ActAs) -> None:
    now = datetime.now(UTC)
    task = given(deadline=now - timedelta(minutes=1))
    act_as(ADA)
    assert "Hand in" not in {found.label for found in opened("Train", run=adas.id).button}
    page = checked(opened("Train", run=adas.id, assignment=task.id))
    assert "The deadline has passed" in texts(page)
    assert button(page, "Hand in").disabled
    assert "Closed since" in str([badge.value for badge in opened("Class").markdown])


def test_pupils_see_the_public_half_and_teachers_choose(adas: Run, act_as: ActAs) -> None:
    task = given(deadline=datetime.now(UTC) + timedelta(hours=1), has_halves=True)
    hand_in(adas, task, ADA, HandIns(runs_folder()), datetime.now(UTC))
    act_as(BOB)
    assert "Public half: 250 images" in texts(checked(opened("Class")))
    act_as(TEACHER)
    page = checked(opened("Class"))
    checked(page.segmented_control(key="class.part").set_value("private").run())
    assert "Private half: 250 images" in texts(page)


def test_a_verified_run_has_a_badge(adas: Run, act_as: ActAs, monkeypatch: pytest.MonkeyPatch) -> None:
    task = given()
    handed = hand_in(adas, task, ADA, HandIns(runs_folder()), datetime.now(UTC))
    begun: list[Worker[Any]] = []
    whole = teacher._verified
    monkeypatch.setattr("cnnlab.classroom.proofs.verify", lambda run, level: proved(run.id))

    def noted(*given: Any) -> Worker[Any]:
        begun.append(whole(*given))
        return begun[-1]

    monkeypatch.setattr(teacher, "_verified", noted)
    act_as(TEACHER)
    page = checked(opened("Class"))
    button(page, "Verify runs").click().run()
    begun[0].join()
    checked(page.run())
    assert Proofs(runs_folder()).get(handed.run) == Proof(outcome="proved", level=1)
    assert board_of(page)[0]["Verified"] == ["proved"]
    assert button(page, "Verify runs").disabled


def proved(run_id: str) -> Any:
    from cnnlab.verification.report import Progress, Report  # noqa: PLC0415

    yield Progress("steps executed", 1, 2)
    return Report(run_id, 1, 2)


def test_everyone_draws_ten_digits_and_networks_are_judged_by_writer(adas: Run, act_as: ActAs) -> None:
    hand_in(adas, given(), ADA, HandIns(runs_folder()), datetime.now(UTC))
    for digit in digits():
        ClassDigits(runs_folder()).put(BOB.id, digit, digit.label)
    act_as(ADA)
    page = checked(opened("Class"))
    assert str(board_of(page)[0]["Class digits"]).endswith("of 10")
    page.segmented_control(key="class.view").set_value("Class digits").run()
    for number, digit in enumerate(digits()):
        assert f"{number} of 10 are saved" in texts(checked(page))
        page.session_state["canvas"] = canvas_of(digit)
        page.run()
        page.button(key="class.digit.save").click().run()
    assert "You have drawn your ten digits" in texts(checked(page))
    assert set(ClassDigits(runs_folder()).of(ADA.id)) == set(DIGITS)
    assert {row["Writer"] for row in board_of(page)} == {"Ada", "Bob"}
    assert {row["Writer"] for row in board_of(page)} == {"Ada", "Bob"}
    button(page, "Draw all again").click().run()
    assert "0 of 10 are saved" in texts(checked(page))
    assert {row["Writer"] for row in board_of(page)} == {"Bob"}
    page.button(key="class.digit.undo").click().run()
    assert "You have drawn your ten digits" in texts(checked(page))
    assert {row["Writer"] for row in board_of(page)} == {"Ada", "Bob"}
    assert "class.digit.undo" not in {each.key for each in page.button}


def test_one_digit_is_drawn_again_while_the_others_stay(act_as: ActAs) -> None:
    given()
    kept = ClassDigits(runs_folder())
    for digit in digits():
        kept.put(ADA.id, digit, digit.label)
    act_as(ADA)
    page = checked(opened("Class"))
    page.segmented_control(key="class.view").set_value("Class digits").run()
    page.button(key="class.digit.again.3").click().run()
    assert "Draw a 3 again" in texts(checked(page))
    other = digits(shift=0.05)
    page.session_state["canvas"] = canvas_of(other[3])
    page.run()
    page.button(key="class.digit.save").click().run()
    assert "You have drawn your ten digits" in texts(checked(page))
    before = {one.label: rounded(one).strokes for one in digits()}
    assert [label for label, one in kept.of(ADA.id).items() if one.strokes != before[label]] == ["3"]


def test_no_ready_made_digit_gets_into_the_class(act_as: ActAs) -> None:
    given()
    act_as(ADA)
    page = checked(opened("Class"))
    page.session_state[CANVAS_LATEST.name] = to_canvas(example_digits()["0"])  # as it is after Draw
    page.segmented_control(key="class.view").set_value("Class digits").run()
    assert page.button(key="class.digit.save").disabled
    assert not [one for one in page.button if str(one.key).startswith("canvas.example")]


def test_a_network_from_which_nothing_was_handed_in_shows_on_no_board(act_as: ActAs) -> None:
    given()
    train()
    act_as(ADA)
    assert "Nobody has handed in a run yet" in texts(checked(opened("Class")))
    assert RunStore(runs_folder()).all()
