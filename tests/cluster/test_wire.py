from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnlab.cluster.wire import (
    pack,
    pack_data,
    pack_reports,
    pack_task,
    unpack,
    unpack_data,
    unpack_report,
    unpack_task,
)
from cnnlab.data.loading import Data, load
from cnnlab.data.splits import Split
from cnnlab.training.config import Extension, RunConfig
from cnnlab.training.events import Event, Finished, Prepared, RateChange, Started, ThreadsChange, Tick
from cnnlab.training.machine_kind import MachineKind
from cnnlab.training.run_data import network_for
from cnnlab.training.trainer import Report, Task, Trainer
from tests.samples import EPOCH, STEP, few_digits, lesson
from tests.training.trainings import config


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def reports(settings: RunConfig) -> tuple[Task, list[Report]]:
    data = few_digits()
    task = Task(settings, network_for(settings, data.spec), rates=((3, 0.001),))
    return task, list(Trainer(task, data).events())


def test_tensors_of_any_layout_come_as_they_were() -> None:
    tensors = {"a": torch.rand(2, 3, 4, 4).contiguous(memory_format=torch.channels_last), "b": torch.tensor(7)}
    assert same(unpack(pack(tensors)), tensors)


def test_a_task_comes_as_it_was() -> None:
    settings = config(lessons=[lesson()], optimizer="adamw")
    task, found = reports(config(optimizer="adamw"))
    saved = found[-2][1]
    assert saved
    task = Task(
        settings,
        task.network,
        ("conv1",),
        (Extension(after=2, epochs=1, learning_rate=0.1),),
        saved.checkpoint,
        3,
        ((5, 1),),
        ((9, 0.1),),
    )
    came, spec = unpack_task(pack_task(task, few_digits().spec))
    assert came.checkpoint
    assert same(came.network.state_dict(), task.network.state_dict())
    assert same(came.checkpoint.tensors, saved.checkpoint.tensors)
    assert came.checkpoint.progress == saved.checkpoint.progress
    others = [field.name for field in fields(Task) if field.name not in ("network", "checkpoint")]
    assert [getattr(came, name) for name in others] == [getattr(task, name) for name in others]
    assert (spec.name, spec.classes, spec.read, spec.fetch) == ("mnist-sample", tuple("0123456789"), None, None)


def test_every_kind_of_event_comes_as_it_was() -> None:
    events: list[Event] = [
        Started(2, 32, "cpu", "float32", MachineKind(system="a", processor="b", torch="c", device="cpu")),
        Prepared(3, 4, 1),
        RateChange(3, 0.1, 0.5),
        ThreadsChange(3, 0.1, 2),
        Tick(3),
        STEP,
        EPOCH,
        Finished(2, stopped_early=False),
    ]
    came = [unpack_report(values)[0] for values in pack_reports([(event, None) for event in events])]
    assert came == events


def test_an_epoch_comes_with_what_is_kept_and_of_steps_in_a_row_the_last() -> None:
    _, found = reports(config())
    packed = pack_reports(found)
    json.dumps([values["event"] for values in packed])  # plain values
    came = [unpack_report(values) for values in packed]
    events = [event for event, _ in found]
    kept = [event for event, after in zip(events, [*events[1:], None], strict=True) if not is_counted(event, after)]
    assert [event for event, _ in came] == kept
    assert len(kept) < len(events)
    for (event, saved), (_, other) in zip(
        [report for report in came if report[1]], [report for report in found if report[1]], strict=True
    ):
        assert saved
        assert other
        assert event.kind == "epoch"
        assert saved.weights.keys() == other.weights.keys()
        assert saved.checkpoint.progress == other.checkpoint.progress


def is_counted(event: object, after: object) -> bool:
    return isinstance(event, Tick) and isinstance(after, Tick)


def sent(data: Data) -> Data:
    splits, tensors = pack_data(data)
    arrays = [tensor.numpy().copy() for tensor in tensors]
    for array in arrays:
        array.flags.writeable = False  # as they lie in a node's memory
    return unpack_data(data.spec, splits, arrays)


def test_splits_come_as_they_were_and_share_their_pixels_on_the_way() -> None:
    data = load("mnist-sample", train_fraction=0.1)
    assert len(pack_data(data)[1]) == 2  # training and validation images are rows of the same
    came = sent(data)
    for one, other in ((came.train, data.train), (came.validation, data.validation), (came.test, data.test)):
        assert torch.equal(one.images, other.images)
        assert torch.equal(one.labels, other.labels)


def test_groups_come_too() -> None:
    images = torch.zeros(4, 1, 8, 8, dtype=torch.uint8)
    split = Split(images, torch.tensor([0, 1, 0, 1]), torch.tensor([3, 1]), torch.tensor([7, 8, 9, 9]))
    data = few_digits()
    came = sent(Data(data.spec, split, data.validation, data.test))
    assert came.train.groups is not None
    assert np.array_equal(came.train.groups, torch.tensor([7, 8, 9, 9]))


@pytest.mark.parametrize("rates", [((3, 0.001), (9, 0.5)), ()])
def test_rates_are_set_for_the_steps_they_were_set_for(rates: tuple[tuple[int, float], ...]) -> None:
    data, settings = few_digits(), config(epochs=3)
    task = Task(settings, network_for(settings, data.spec), rates=rates)
    changes = [event for event, _ in Trainer(task, data).events() if event.kind == "rate"]
    assert [(change.step, change.learning_rate) for change in changes] == list(rates)
