"""Answers after an operation equal those of a full evaluation of the changed network, number by number."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from cnnlab.analysis import surgery
from cnnlab.analysis.surgery import Operated, a_sample
from cnnlab.data.batches import Standardise
from cnnlab.data.loading import load
from cnnlab.evaluation.evaluate import evaluate
from cnnlab.evaluation.metrics import per_class
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.build import build
from cnnlab.networks.operations import Operation
from cnnlab.networks.presets import PRESETS
from cnnlab.runs.trained import Trained
from cnnlab.training.device import torch_threads
from tests.networks.random_weights import shake

IMAGES = load("mnist-sample").validation.part(slice(60))
STEPS = (
    Operation(kind="off", layer="conv2", filters=(1, 5)),
    Operation(kind="prune", layer="conv2", share=0.5),
    Operation(kind="off", layer="conv1", filters=(0,)),
    Operation(kind="swap", layer="linear1", source="other@1"),
)


def network(architecture: Architecture, seed: int) -> nn.Sequential:
    built = build(architecture, (1, 28, 28), 10).eval()
    shake(built, seed)
    return built


def other(source: str) -> dict[str, torch.Tensor]:
    return network(PRESETS[source.partition("@")[0]], seed=1).state_dict()


@cache
def operated(name: str, at_once: int = 25) -> Operated:
    """A network whose images pass in three batches, the last one smaller."""
    digits = load("mnist-sample").spec
    classes = tuple(digits.classes)
    standardise = Standardise(digits.mean, digits.std)
    trained = Trained(network(PRESETS[name], 0), standardise, classes, (1, 28, 28), 1, at_once)
    return Operated(trained, IMAGES, other)


@pytest.mark.parametrize("name", ["lean", "quick", "basic-cnn", "lenet-5", "small-vgg", "small-resnet"])
def test_the_answers_are_those_of_a_full_evaluation(name: str) -> None:
    patient = operated(name)
    trained = patient.trained
    steps = [step.model_copy(update={"source": f"{name}@1" if step.source else ""}) for step in STEPS]
    if name == "small-resnet":
        steps = [Operation(kind="off", layer="block3.body.0", filters=(2,)), Operation(kind="prune", share=0.3)]
    elif name == "lenet-5":
        steps = [Operation(kind="off", layer=layer, filters=(2,)) for layer in ("linear2", "linear1", "conv2")]
    elif name in ("basic-cnn", "small-vgg"):
        steps = [step for step in steps if step.kind != "swap"]
    for count in range(len(steps) + 1):
        found = patient.answers(steps[:count])
        changed = build(PRESETS[name], (1, 28, 28), 10)
        changed.load_state_dict(patient.operated(steps[:count]))
        with torch_threads(1):
            full = replace(trained, network=changed.eval()).answers(IMAGES)
            judged = evaluate(changed, IMAGES, trained.standardise, trained.at_once)
        assert np.array_equal(found.logits, full.logits)
        assert tuple(per_class(found)["Accuracy"]) == judged.per_class
        assert count == 0 or not np.array_equal(found.logits, patient.whole.logits)


def test_without_operations_the_answers_are_the_first_ones() -> None:
    patient = operated("lean")
    before = patient.whole.logits.copy()
    patient.answers(STEPS[:3])
    assert np.array_equal(patient.answers(()).logits, before)


def test_only_layers_from_the_first_changed_on_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    patient = operated("lean")
    ran: list[type[nn.Module]] = []
    count = torch.nn.modules.module.register_module_forward_hook(lambda module, *_: ran.append(type(module)))
    try:
        patient.answers([Operation(kind="off", layer="conv4", filters=(1,))])
    finally:
        count.remove()
    assert ran.count(nn.Conv2d) == 3  # one in each of three batches, of four


@pytest.mark.parametrize("room", [0, 1_000_000])
def test_with_less_room_for_what_is_kept_the_answers_are_the_same(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = operated("lean").answers(STEPS[:3])
    monkeypatch.setattr(surgery, "KEPT_BYTES", room)
    short = operated.__wrapped__("lean")
    assert sum(batch.nbytes for kept in short._inputs.values() for batch in kept) <= room
    assert np.array_equal(short.answers(STEPS[:3]).logits, usual.logits)


def test_several_threads_do_not_disturb_one_another() -> None:
    patient = operated("lean")
    steps = [[Operation(kind="off", layer="conv3", filters=(number,))] for number in range(8)]
    alone = [patient.answers(one).logits for one in steps]
    with ThreadPoolExecutor(4) as threads:
        together = [answers.logits for answers in threads.map(patient.answers, steps)]
    assert all(np.array_equal(*pair) for pair in zip(alone, together, strict=True))


def test_a_large_network_answers_fewer_images_always_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = load("mnist-sample").train
    assert len(a_sample(everything, PRESETS["lean"], 10)) == pytest.approx(1000, abs=10)
    monkeypatch.setattr(surgery, "MACS", 1e9)
    few = a_sample(everything, PRESETS["lean"], 10)
    assert len(few) == pytest.approx(270, abs=20)
    assert torch.equal(few.labels, a_sample(everything, PRESETS["lean"], 10).labels)
