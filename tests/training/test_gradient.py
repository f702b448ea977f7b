from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from cnnlab.networks.architecture import Architecture
from cnnlab.networks.build import build
from cnnlab.networks.layers import Activation, BatchNorm1d, Flatten, Linear, MaxPool2d
from cnnlab.training import device
from tests.samples import TINY
from tests.training.trainings import began, config, ending_in_logits, measured, metrics, train, weights_of

# With this descent a step is the gradient itself.
DESCENT = config(
    optimizer="sgd",
    momentum=0.0,
    nesterov=False,
    schedule="constant",
    learning_rate=1.0,
    epochs=1,
    batch_size=64,
    weight_decay=0.0,
    precision="float32",
)
NORM = ending_in_logits(MaxPool2d(kernel_size=7), Flatten(), Linear(out_features=8), BatchNorm1d(), Activation())


@pytest.mark.parametrize("part", [1, 5, 32])
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"class_balance": "weights", "label_smoothing": 0.1},
        {"class_balance": "weights", "mixup": 0.4, "cutmix": 1.0},
        {"gradient_clipping": 0.01},
        {"gradient_clipping": 0.01, "precision": "float16"},
    ],
    ids=str,
)
def test_the_gradients_of_parts_add_up_to_the_batchs(
    fields: dict[str, Any], part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "_TOO_SLOW", {})  # float16 scales its gradients, here as on a GPU
    near = 1e-2 if "precision" in fields else 1e-5
    (whole, told), (added, also_told) = (
        train(DESCENT.model_copy(update={**fields, "micro_batch": images_at_once})) for images_at_once in (0, part)
    )
    before = weights_of(build(TINY, (1, 28, 28), 10, 0))
    step = weights_of(whole) - before
    assert (weights_of(added) - before - step).norm() < near * step.norm()
    points = [next(event for event in events if event.kind == "step") for events in (told, also_told)]
    assert points[1].loss == pytest.approx(points[0].loss, rel=near)
    assert points[1].accuracy == pytest.approx(points[0].accuracy, rel=near)


def test_a_part_as_large_as_the_batch_is_the_batch() -> None:
    settings = config(architecture=NORM, label_smoothing=0.1)
    assert metrics(settings.model_copy(update={"micro_batch": 16})) == metrics(settings)


@pytest.mark.parametrize(("network", "sizes"), [(TINY, [5, 5, 5, 1]), (NORM, [5, 5, 6])], ids=["plain", "norm"])
def test_no_more_images_than_a_part_go_through_the_network_at_once(network: Architecture, sizes: list[int]) -> None:
    training = began(config(architecture=network, epochs=1, micro_batch=5))
    passed: list[int] = []

    def note(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        if module.training:
            passed.append(len(inputs[0]))

    training.network.register_forward_pre_hook(note)
    events = measured(list(training.events()))
    assert passed == sizes * 4
    assert [event["step"] for event in events if event["kind"] == "epoch"] == [4]
