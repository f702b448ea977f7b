from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from captum.attr import IntegratedGradients, LayerGradCam
from torch import Tensor, nn

from cnnlab.analysis.activations import feature_maps, watched
from cnnlab.analysis.attribution import METHODS, Question, default_layer, randomised, similarity
from cnnlab.networks.build import build
from cnnlab.networks.presets import PRESETS

SHAPES = [(1, 28, 28), (3, 32, 32), (3, 224, 224)]


def question(name: str, shape: tuple[int, int, int] = (1, 28, 28), target: int = 3) -> Question:
    network = build(PRESETS[name], shape, 10).eval()
    inputs = torch.rand(1, *shape, generator=torch.Generator().manual_seed(0))
    return Question(network, inputs, torch.zeros_like(inputs), target, list(feature_maps(network, inputs))[-1])


def linear(weights: Tensor, pixels: Tensor) -> Question:
    """A network whose logit 0 is the sum of ``weights`` (H, W) times pixels, and whose logit 1 is nothing."""
    layer = nn.Linear(weights.numel(), 2, bias=False)
    layer.weight.data = torch.stack([weights.flatten(), torch.zeros(weights.numel())])
    inputs = pixels.view(1, 1, *pixels.shape)
    return Question(nn.Sequential(nn.Flatten(), layer).eval(), inputs, torch.zeros_like(inputs), 0, "")


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("preset", ["compact", "small-resnet", "lenet-5"])
@pytest.mark.parametrize("method", METHODS)
def test_a_map_has_the_images_size_and_the_network_is_as_before(
    method: str, preset: str, shape: tuple[int, int, int]
) -> None:
    if shape[1] > 32 and method in ("integrated-gradients", "occlusion") and preset == "small-resnet":
        pytest.skip("minutes of work for nothing new")
    asked = question(preset, shape)
    before = {name: tensor.clone() for name, tensor in asked.network.state_dict().items()}
    generator = torch.random.get_rng_state()
    values = METHODS[method].compute(asked).values
    assert values.shape == shape[1:]
    assert values.isfinite().all()
    assert not values.requires_grad
    assert_untouched(asked, before)
    assert torch.equal(torch.random.get_rng_state(), generator)


@pytest.mark.parametrize("method", METHODS)
def test_an_error_leaves_the_network_as_before_too(method: str) -> None:
    asked = question("compact", target=99)  # there is no such class
    before = {name: tensor.clone() for name, tensor in asked.network.state_dict().items()}
    with pytest.raises((AssertionError, IndexError)):
        METHODS[method].compute(asked)
    assert_untouched(asked, before)


def assert_untouched(asked: Question, before: dict[str, Tensor]) -> None:
    network = asked.network
    assert not network.training
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())
    for module in network.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
        assert not module._backward_hooks
        assert not module._backward_pre_hooks


@pytest.mark.parametrize("preset", PRESETS)
def test_grad_cam_is_what_its_paper_and_captum_say(preset: str) -> None:
    asked = question(preset)
    seen: dict[str, Tensor] = {}
    with watched(asked.network, lambda name, before, after: seen.__setitem__(name, after)):
        logits = asked.network(asked.inputs)
    maps = seen[asked.layer]  # (1, C, h, w)
    (gradient,) = torch.autograd.grad(logits[0, asked.target], maps)
    coarse = (gradient.mean((2, 3), keepdim=True) * maps).sum(1, keepdim=True).relu().detach()
    captum = LayerGradCam(asked.network, asked.network.get_submodule(asked.layer)).attribute(
        asked.inputs, asked.target, relu_attributions=True
    )
    found = METHODS["grad-cam"].compute(asked).values
    assert torch.allclose(captum, coarse, atol=1e-6)
    assert torch.allclose(found, F.interpolate(coarse, (28, 28), mode="bilinear")[0, 0], atol=1e-6)


@pytest.mark.parametrize("preset", PRESETS)
def test_integrated_gradients_are_complete_to_one_percent_and_captums(preset: str) -> None:
    asked = question(preset)
    attribution = METHODS["integrated-gradients"].compute(asked)
    with torch.no_grad():
        logits = asked.network(torch.cat([asked.inputs, asked.blank]))[:, asked.target]
    assert attribution.values.sum().item() == pytest.approx((logits[0] - logits[1]).item(), rel=0.01)
    steps = int(attribution.note.split()[-2])
    captum = IntegratedGradients(asked.network).attribute(
        asked.inputs, asked.blank, asked.target, n_steps=steps, internal_batch_size=64
    )
    assert torch.allclose(attribution.values, captum.detach()[0, 0].float(), atol=1e-6)


def test_a_linear_networks_maps_are_known() -> None:
    weights = torch.tensor([[1.0, -2.0], [0.0, 3.0]])
    pixels = torch.tensor([[1.0, 0.5], [1.0, 0.25]])
    asked = linear(weights, pixels)
    assert torch.allclose(METHODS["saliency"].compute(asked).values, weights.abs())
    assert torch.allclose(METHODS["smooth-grad"].compute(asked).values, weights.abs())
    assert torch.allclose(METHODS["integrated-gradients"].compute(asked).values, weights * pixels)
    assert torch.allclose(METHODS["occlusion"].compute(asked).values, weights * pixels)  # one pixel at a time


def test_grad_cam_finds_where_the_one_filter_that_counts_fires() -> None:
    conv = nn.Conv2d(1, 2, 1, bias=False)
    conv.weight.data = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1)
    last = nn.Linear(2, 2, bias=False)
    last.weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0]])  # class 0 counts bright places
    network = nn.Sequential(conv, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), last).eval()
    pixels = torch.zeros(1, 1, 4, 4)
    pixels[0, 0, 1, 2] = 1
    values = METHODS["grad-cam"].compute(Question(network, pixels, torch.zeros_like(pixels), 0, "1")).values
    assert values.nonzero().tolist() == [[1, 2]]
    guided = METHODS["guided-grad-cam"].compute(Question(network, pixels, torch.zeros_like(pixels), 0, "1")).values
    assert guided.nonzero().tolist() == [[1, 2]]


def test_smooth_grad_is_the_same_each_time() -> None:
    asked = question("compact")
    first, second = (METHODS["smooth-grad"].compute(asked).values for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize("preset", ["compact", "small-resnet"])
def test_randomising_forgets_all_or_the_last_layer_of_a_copy(preset: str) -> None:
    network = build(PRESETS[preset], (1, 28, 28), 10).eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    everything, last = randomised(network, last_only=False), randomised(network, last_only=True)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    weights = [name for name, module in network.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    assert not any(torch.equal(before[f"{name}.weight"], everything.state_dict()[f"{name}.weight"]) for name in weights)
    changed = [name for name, tensor in last.state_dict().items() if not torch.equal(before[name], tensor)]
    assert changed == ["linear1.weight", "linear1.bias"]
    assert not everything.training
    assert not last.training


def test_similarity_compares_the_order_of_magnitudes() -> None:
    values = torch.tensor([[0.0, 1.0], [2.0, 3.0]])
    assert similarity(values, values * -5) == pytest.approx(1)
    assert similarity(values, 3 - values) == pytest.approx(-1)
    assert similarity(values, torch.zeros(2, 2)) == 0


def test_grad_cam_looks_at_the_last_layer_that_tells_places_apart() -> None:
    maps = {name: torch.zeros(1, 2, side, side) for name, side in (("a", 28), ("b", 7), ("c", 3))}
    assert default_layer(maps, 28) == "b"
    assert default_layer(maps, 224) == "c"  # all are coarse
