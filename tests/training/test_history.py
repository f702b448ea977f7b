from __future__ import annotations

import json
from dataclasses import replace

import pytest
from pydantic import ValidationError

from cnnlab.training.events import Record
from cnnlab.training.history import EPOCH_COLUMNS, History, from_line, to_line
from tests.samples import EPOCH, STEP


def test_events_survive_json_lines() -> None:
    written = History()
    written.add(STEP)
    written.add(EPOCH)
    read = History.from_lines([to_line(STEP), to_line(EPOCH)])
    assert json.loads(json.dumps(written.epochs)) == read.epochs
    assert written.steps == read.steps


@pytest.mark.parametrize("event", [STEP, EPOCH], ids=lambda event: event.kind)
def test_a_line_gives_its_event_and_no_line_of_other_types_does(event: Record) -> None:
    assert from_line(to_line(event)) == event
    with pytest.raises(ValidationError):
        from_line(to_line(event).replace(f'"step": {event.step}', f'"step": "{event.step}"'))


@pytest.mark.parametrize(
    "torn",
    [to_line(EPOCH)[:40], "null", "[]", "{}", '{"kind": "step"}', '{"kind": "other"}', "", "[" * 100_000],
    ids=lambda line: line[:12],
)
def test_reading_ends_at_a_line_that_is_torn_or_foreign(torn: str) -> None:
    read = History.from_lines([to_line(STEP), torn, to_line(STEP)])
    assert len(read.steps) == 1
    assert not read.epochs


def test_frames_have_their_columns_even_before_the_first_record() -> None:
    empty = History()
    assert list(empty.epoch_frame().columns) == EPOCH_COLUMNS
    full = History.from_lines([to_line(STEP), to_line(EPOCH)])
    assert full.epoch_frame().loc[0, "validation_accuracy"] == 0.75


def test_only_an_epoch_that_was_better_on_validation_is_named() -> None:
    made = History()
    assert made.better_epoch(0) is None
    for epoch, accuracy in enumerate((0.5, 0.8, 0.7), 1):
        made.add(replace(EPOCH, epoch=epoch, validation_accuracy=accuracy))
    assert made.better_epoch(3) == 2
    assert made.better_epoch(2) is None
    assert made.better_epoch(7) is None


def test_the_best_epochs_are_the_first_by_accuracy_and_by_loss() -> None:
    made = History()
    assert made.best_epochs == set()
    for epoch, (accuracy, loss) in enumerate(((0.5, 0.9), (0.8, 0.5), (0.7, 0.2), (0.8, 0.2)), 1):
        made.add(replace(EPOCH, epoch=epoch, validation_accuracy=accuracy, validation_loss=loss))
    assert made.best_epochs == {2, 3}
