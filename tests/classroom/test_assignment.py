"""What an assignment asks of a training, and how assignments are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cnnlab.classroom.assignment import CHOICES, Assignment, AssignmentError, Assignments, Facts
from cnnlab.classroom.folder import class_folder
from cnnlab.training.config import RunConfig, parse_config
from tests.classroom import samples
from tests.classroom.samples import NOW
from tests.samples import lesson

SETTINGS: dict[str, Any] = {"architecture": "lean", "epochs": 4, "learning_rate": 0.01}


def assignment(**fields: Any) -> Assignment:
    return samples.assignment(**{"config": parse_config(SETTINGS)} | fields)


def facts(parameters: int = 1000, epochs: int = 4, **fields: Any) -> Facts:
    return Facts(parse_config(SETTINGS | fields), parameters, epochs)


def test_free_settings_may_change_and_fixed_ones_may_not() -> None:
    asked = assignment(free=("learning_rate",))
    assert asked.objections(facts(learning_rate=0.1)) == []
    assert asked.objections(facts(batch_size=64)) == ["Batch size: 64 instead of 128."]
    assert asked.objections(facts(architecture="lenet-5")) == ["Network: LeNet-5 instead of Lean net."]


def test_the_data_set_is_fixed_whatever_is_free_and_the_machine_is_free() -> None:
    asked = assignment(free=CHOICES)
    assert asked.objections(facts(device="cpu", threads=2)) == []
    assert len(asked.objections(facts(dataset="mnist"))) == 1


def test_a_fixed_setting_without_effect_does_not_count() -> None:
    asked = assignment(free=("optimizer",))
    assert asked.objections(facts(momentum=0.5)) == []  # of AdamW, which has none
    assert len(asked.objections(facts(optimizer="sgd", momentum=0.5))) == 1


def test_limits_are_of_the_whole_training() -> None:
    asked = assignment(most_epochs=5, most_parameters=2000)
    assert asked.objections(facts(parameters=2000, epochs=5)) == []
    assert len(asked.objections(facts(parameters=2001, epochs=6))) == 2


def test_what_was_changed_by_hand_or_trained_on_is_no_way_around_a_fixed_setting() -> None:
    asked = assignment(free=())
    by_hand = Facts(parse_config(SETTINGS), 1000, 9, is_extended=True, rates_set=1)
    assert len(asked.objections(by_hand)) == 2
    assert assignment(free=("epochs", "learning_rate")).objections(by_hand) == []


def test_a_run_starts_from_another_only_where_it_may() -> None:
    branch = facts(parent="20300101-run@3", split_seed=7)
    taught = facts(lessons=[lesson()])
    assert len(assignment().objections(branch)) == len(assignment().objections(taught)) == 1
    asked = assignment(may_continue=True)
    assert asked.objections(branch) == asked.objections(taught) == []  # the split is its parent's
    assert "is gone" in asked.objections(replace(branch, is_traced=False))[0]


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"title": " \u202e "}, "title"),
        ({"title": "x" * 81}, "title"),
        ({"free": ["dataset"]}, "dataset"),
        ({"has_halves": True}, "deadline"),
        ({"hand_ins_a_day": 0}, "hand_ins_a_day"),
        ({"most_epochs": 0}, "most_epochs"),
        ({"config": RunConfig.model_validate({"parent": "20300101-run@3"})}, "no other run"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], what: str, tmp_path: Path) -> None:
    sound = {"title": "Digits", "config": parse_config(SETTINGS)}
    with pytest.raises(AssignmentError, match=what):
        Assignments(tmp_path).make(**sound | fields)
    assert Assignments(tmp_path).all() == []


def test_assignments_are_kept_changed_removed_and_restored(tmp_path: Path) -> None:
    kept = Assignments(tmp_path)
    first = kept.make(title="First", config=parse_config(SETTINGS))
    second = kept.make(title="Second", config=parse_config(SETTINGS), deadline=NOW)
    assert [one.title for one in kept.all()] == ["Second", "First"]
    changed = kept.change(second, deadline=NOW + timedelta(days=1))
    assert kept.get(second.id) == changed
    assert not changed.is_over(NOW + timedelta(hours=23))
    assert changed.is_over(NOW + timedelta(hours=25))
    assert not first.is_over(NOW)
    kept.remove(first.id)
    with pytest.raises(AssignmentError, match="removed"):  # by a page that still shows it
        kept.change(first, title="Back")
    assert kept.get(first.id) is None
    assert kept.all() == [changed]
    kept.restore(first.id)
    assert kept.get(first.id) == first


def test_damaged_files_and_ids_that_are_none_are_no_assignments(tmp_path: Path) -> None:
    folder = class_folder(tmp_path) / "assignments"
    folder.mkdir(parents=True)
    (folder / f"{'b' * 16}.json").write_text("{}")
    (folder / "notes.json").write_text("{}")
    (class_folder(tmp_path) / "secret.json").write_text("{}")
    kept = Assignments(tmp_path)
    assert kept.all() == []
    assert kept.get("../secret") is None
    assert kept.get("b" * 16) is None
