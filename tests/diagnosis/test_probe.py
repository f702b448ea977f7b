from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cnnlab.diagnosis import probe as module
from cnnlab.diagnosis.probe import Sample, probe, watched_units
from cnnlab.networks.build import build
from cnnlab.networks.presets import PRESETS
from tests.diagnosis.cases import healthy
from tests.samples import few_digits

DATA = few_digits()
CONFIG = healthy()


def network(name: str = "basic-cnn") -> nn.Sequential:
    return build(PRESETS[name], (1, 28, 28), 10)


def sample() -> Sample:
    return Sample.of(DATA.train, CONFIG, DATA.spec)


@pytest.mark.parametrize("name", ["basic-cnn", "lean", "seven-step-mnist", "small-resnet"])
def test_the_network_stays_as_it_was(name: str) -> None:
    examined = network(name).train()
    before = {key: tensor.clone() for key, tensor in examined.state_dict().items()}
    probe(examined, sample(), 0)
    assert all(torch.equal(before[key], tensor) for key, tensor in examined.state_dict().items())
    assert all(part.training and not part._forward_hooks for part in examined.modules())
    assert all(parameter.grad is None for parameter in examined.parameters())


def test_gradients_are_those_of_the_mean_loss() -> None:
    examined, taken = network(), sample()
    found = probe(examined, taken, 3)
    F.cross_entropy(examined(taken.inputs), taken.labels).backward()
    first = found.layers[0]
    assert (found.epoch, first.name) == (3, "conv1")
    weights = examined.get_parameter("conv1.weight")
    assert weights.grad is not None
    assert first.gradient == pytest.approx(weights.grad.square().mean().sqrt().item(), rel=1e-4)
    assert first.weight == pytest.approx(weights.detach().square().mean().sqrt().item(), rel=1e-6)


def test_units_that_no_image_wakes_are_dead() -> None:
    examined = network()
    with torch.no_grad():
        examined.get_parameter("conv2.bias")[:4] -= 100
    units = {unit.name: unit.dead for unit in probe(examined, sample(), 0).units}
    whole = {unit.name: unit.dead for unit in probe(network(), sample(), 0).units}
    assert units["relu1"] == whole["relu1"]
    assert units["relu2"] == pytest.approx(whole["relu2"] * 12 / 16 + 4 / 16, abs=1 / 16)


def test_a_failure_leaves_no_hook_behind() -> None:
    examined = network()
    with pytest.raises(RuntimeError), watched_units(examined):
        examined(torch.zeros(1, 3, 28, 28))
    assert not any(part._forward_hooks for part in examined.modules())


def test_fewer_images_are_taken_where_their_maps_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(sample().labels) == len(DATA.train)
    monkeypatch.setattr(module, "BYTES", 1)
    assert len(sample().labels) == module.FEWEST
