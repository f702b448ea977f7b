from __future__ import annotations

from math import sqrt

import pytest
import torch
from torch import Tensor, nn

from cnnlab.analysis.counterfactual import LEAD, Change, smallest_change
from cnnlab.data.batches import Standardise
from cnnlab.data.loading import load_test
from cnnlab.evaluation.evaluate import predict
from cnnlab.jobs.worker import completed
from cnnlab.networks.build import build
from cnnlab.networks.presets import PRESETS
from cnnlab.runs.run import Run
from cnnlab.runs.trained import load_trained

AS_IS = Standardise((0.0,), (1.0,))
HALF = 128 / 255


def linear(weights: Tensor, bias: float) -> nn.Module:
    """Logit 0 is nothing, logit 1 the sum of ``weights`` (H, W) times pixels in 0…1, plus ``bias``."""
    layer = nn.Linear(weights.numel(), 2)
    layer.weight.data = torch.stack([torch.zeros(weights.numel()), weights.flatten()])
    layer.bias.data = torch.tensor([0.0, bias])
    return nn.Sequential(nn.Flatten(), layer).eval()


def grey(*shape: int, value: int = 128) -> Tensor:
    return torch.full((1, *shape), value, dtype=torch.uint8)


def traces(network: nn.Module) -> list[object]:
    """What is left behind where something is."""
    hooks = [
        hook
        for module in network.modules()
        for found in (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
        for hook in found.values()
    ]
    gradients = [tensor for tensor in network.parameters() if tensor.grad is not None or not tensor.requires_grad]
    return [*hooks, *gradients, *(module for module in network.modules() if module.training)]


def answer(network: nn.Module, image: Tensor, standardise: Standardise = AS_IS) -> int:
    return int(predict(network, image, standardise).argmax())


def found(network: nn.Module, image: Tensor, target: int, standardise: Standardise = AS_IS) -> Change:
    change = completed(smallest_change(network, standardise, image, target))
    assert change is not None
    return change


def test_a_plane_is_reached_on_the_shortest_way() -> None:
    weights = torch.tensor([[3.0, 0.0], [-4.0, 0.0]])
    network = linear(weights, bias=1.0 + HALF)  # at the middle grey logit 1 is 1: it leads by so much
    change = found(network, grey(1, 2, 2), target=0)
    assert answer(network, change.before) == 1
    assert answer(network, change.after) == 0
    assert change.size == pytest.approx((1 + LEAD) / 5, rel=0.02)
    assert (change.difference[0] / change.size).flatten().tolist() == pytest.approx([-0.6, 0, 0.8, 0], abs=0.02)


def test_pixels_that_are_full_already_leave_the_way_to_the_others() -> None:
    image = grey(1, 1, 2, value=0)
    image[..., 0] = 255
    network = linear(torch.tensor([[4.0, 1.0]]), bias=-4.4)  # the white pixel can do no more
    change = found(network, image, target=1)
    assert change.difference.flatten().tolist() == pytest.approx([0, 0.4 + LEAD], abs=0.01)


def test_an_image_that_is_read_so_already_hardly_changes() -> None:
    change = found(linear(torch.ones(2, 2), bias=5.0), grey(1, 2, 2), target=1)
    assert change.size < 0.01


@pytest.mark.parametrize("weight", [0.0, 1.0], ids=["blind", "out of reach"])
def test_where_no_image_is_read_so_none_is_found(weight: float) -> None:
    network = linear(torch.full((2, 2), weight), bias=-5.0)
    assert completed(smallest_change(network, AS_IS, grey(1, 2, 2), 1)) is None
    assert not traces(network)


def test_a_network_that_gives_no_numbers_finds_none() -> None:
    network = linear(torch.full((2, 2), float("nan")), bias=0.0)
    assert completed(smallest_change(network, AS_IS, grey(1, 2, 2), 1)) is None


def test_an_error_leaves_the_network_as_before() -> None:
    network = linear(torch.ones(2, 2), bias=0.0)
    with pytest.raises(IndexError):
        completed(smallest_change(network, AS_IS, grey(1, 2, 2), 99))  # there is no such class
    assert not traces(network)


def opinionated(preset: str, shape: tuple[int, int, int]) -> nn.Module:
    """An untrained network whose answer depends on the image: as built, its last bias would decide."""
    network = build(PRESETS[preset], shape, 10).eval()
    last = network[-1]
    assert isinstance(last, nn.Linear)
    last.weight.data *= 50
    last.bias.data.zero_()
    return network


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32)], ids=str)
@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_shown_is_read_as_the_other_class(preset: str, shape: tuple[int, int, int]) -> None:
    network = opinionated(preset, shape)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    generator = torch.random.get_rng_state()
    image = torch.randint(0, 256, (1, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    standardise = Standardise((0.5,) * shape[0], (0.25,) * shape[0])
    target = int(predict(network, image, standardise)[0].argsort(descending=True)[1])
    change = found(network, image, target, standardise)
    assert (change.after.shape, change.after.dtype) == (image.shape, torch.uint8)
    assert answer(network, change.after, standardise) == target
    assert torch.equal(change.before, image)
    assert not traces(network)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), generator)


def test_a_digits_change_is_small_the_same_each_time_and_no_larger_than_another_digit(finished_run: Run) -> None:
    trained, split = load_trained(finished_run), load_test("mnist-sample")
    for number in range(3):
        image = split.images[[number]]
        label, target = trained.probabilities(image)[0].argsort(descending=True)[:2].tolist()
        first, second = (found(trained.network, image, target, trained.standardise) for _ in range(2))
        assert torch.equal(first.after, second.after)
        assert int(trained.probabilities(first.after).argmax()) == target != label
        others = split.images[split.labels == target].float()
        assert first.size < (others - image.float()).flatten(1).norm(dim=1).min().item() / 255 / 2


def test_a_change_is_told_in_numbers() -> None:
    before, after = grey(3, 2, 2, value=51), grey(3, 2, 2, value=51)
    after[0, 0, 0, 0], after[0, 1, 0, 0], after[0, 2, 1, 1] = 102, 0, 41  # +0.2, −0.2 in one pixel, −0.04 in another
    change = Change(before, after)
    assert change.difference[:, 0, 0].tolist() == pytest.approx([0.2, -0.2, 0])
    assert change.size == pytest.approx(sqrt(2 * 0.2**2 + (10 / 255) ** 2))
    assert change.share == pytest.approx(change.size / (0.2 * sqrt(12)))
    assert change.moved == 1
    assert Change(torch.zeros_like(before), after).share == float("inf")
