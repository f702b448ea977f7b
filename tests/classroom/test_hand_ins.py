from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from cnnlab.classroom.folder import class_folder
from cnnlab.classroom.hand_ins import HandIns, count_today
from cnnlab.people.belonging import give
from tests.classroom.samples import ADA, BOB, NOW, handed

TASK = "a" * 16


@pytest.fixture
def hand_ins(tmp_path: Path) -> HandIns:
    for run in ("run-Ada-0", "run-Ada-1", "run-Bob-0"):
        (tmp_path / run).mkdir()
    return HandIns(tmp_path)


@pytest.mark.parametrize("images", [1, 7, 8, 500])
def test_answers_are_kept_bit_by_bit(images: int) -> None:
    hits = np.random.default_rng(images).random(images) < 0.5
    assert np.array_equal(handed(ADA, [bool(hit) for hit in hits]).hits, hits)


def test_what_was_handed_in_is_listed_until_its_copy_is_deleted(hand_ins: HandIns, tmp_path: Path) -> None:
    later, first = handed(ADA, [True], minute=1), handed(BOB, [True])
    assert hand_ins.add(TASK, later, a_day=5)
    assert hand_ins.add(TASK, first, a_day=5)
    assert hand_ins.of(TASK) == [first, later]
    assert hand_ins.of("b" * 16) == hand_ins.of("../x") == []
    (tmp_path / first.run).rmdir()
    assert hand_ins.of(TASK) == [later]


def test_each_person_has_so_many_a_day(hand_ins: HandIns) -> None:
    assert hand_ins.add(TASK, handed(ADA, [True]), a_day=1)
    assert not hand_ins.add(TASK, handed(ADA, [True], minute=1), a_day=1)
    assert hand_ins.add(TASK, handed(BOB, [True]), a_day=1)
    tomorrow = handed(ADA, [True], minute=1, at=NOW + timedelta(days=1))
    assert hand_ins.add(TASK, tomorrow, a_day=1)
    assert count_today(hand_ins.of(TASK), NOW) == 2


def test_the_same_weights_are_added_once(hand_ins: HandIns) -> None:
    assert hand_ins.add(TASK, handed(ADA, [True]), a_day=5)
    assert not hand_ins.add(TASK, handed(ADA, [True], minute=1, source="own-Ada-0"), a_day=5)
    assert hand_ins.add(TASK, handed(ADA, [True], minute=1, source="own-Ada-0", epoch=3), a_day=5)


def test_a_deleted_copy_does_not_come_back_as_somebodys_import_with_its_id(hand_ins: HandIns, tmp_path: Path) -> None:
    first = handed(BOB, [True])
    assert hand_ins.add(TASK, first, a_day=5)
    give(tmp_path / first.run, BOB.id)
    assert hand_ins.of(TASK) == []


@pytest.mark.parametrize("content", ['{"run": "../../etc"}', "few answers", "half a byte"])
def test_damaged_files_are_left_out(content: str, hand_ins: HandIns, tmp_path: Path) -> None:
    folder = class_folder(tmp_path) / "handed-in" / TASK
    folder.mkdir(parents=True)
    sound = handed(ADA, [True] * 9).model_dump(mode="json")
    contents = {"few answers": json.dumps(sound | {"right": "ff"}), "half a byte": json.dumps(sound | {"right": "ff8"})}
    (folder / "run-Ada-0.json").write_text(contents.get(content, content))
    assert hand_ins.of(TASK) == []
