from __future__ import annotations

import json

import pytest

from cnnlab.training.events import EpochMetrics, StepMetrics
from cnnlab.training.history import EPOCH_COLUMNS, History, to_line

STEP = StepMetrics(step=8, epoch=0.25, loss=1.5, accuracy=0.5, learning_rate=0.01, images_per_second=1000.0)
EPOCH = EpochMetrics(
    epoch=1,
    step=32,
    train_loss=1.0,
    train_accuracy=0.7,
    validation_loss=0.9,
    validation_accuracy=0.75,
    per_class=(0.5, 1.0),
    learning_rate=0.02,
    images_per_second=900.0,
    seconds=3.5,
)


def test_events_survive_json_lines() -> None:
    written = History()
    written.add(STEP)
    written.add(EPOCH)
    read = History.from_lines([to_line(STEP), to_line(EPOCH)])
    assert json.loads(json.dumps(written.epochs)) == read.epochs
    assert written.steps == read.steps


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
