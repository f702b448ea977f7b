from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from captum.attr import GuidedGradCam, IntegratedGradients, LayerGradCam, NoiseTunnel, Occlusion, Saliency
from torch import Tensor, nn

from cnnlab.analysis.activations import feature_maps, look, watched
from cnnlab.analysis.attribution import (
    METHODS,
    NOISE,
    NOISES,
    Attribution,
    Question,
    default_layer,
    randomised,
    similarity,
)
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.backbones import lite0
from cnnlab.networks.build import build, seeded
from cnnlab.networks.layers import Linear, Resize
from cnnlab.networks.presets import PRESETS

SHAPES = [(1, 28, 28), (3, 32, 32), (3, 224, 224)]


def question(name: str, shape: tuple[int, int, int] = (1, 28, 28), target: int = 3) -> Question:
    network = build(PRESETS[name], shape, 10).eval()
    inputs = torch.rand(1, *shape, generator=torch.Generator().manual_seed(0))
    return Question(network, inputs, torch.zeros_like(inputs), target, list(feature_maps(network, inputs))[-1])


def whole(method: str, asked: Question) -> Attribution:
    """The last step, which is the whole map."""
    *_, last = METHODS[method].steps(asked)
    return last


def linear(weights: Tensor, pixels: Tensor) -> Question:
    """A network whose logit 0 is the sum of ``weights`` (H, W) times pixels, and whose logit 1 is nothing."""
    layer = nn.Linear(weights.numel(), 2, bias=False)
    layer.weight.data = torch.stack([weights.flatten(), torch.zeros(weights.numel())])
    inputs = pixels.view(1, 1, *pixels.shape)
    return Question(nn.Sequential(nn.Flatten(), layer).eval(), inputs, torch.zeros_like(inputs), 0, "")


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("preset", ["lean", "small-resnet", "lenet-5"])
@pytest.mark.parametrize("method", METHODS)
def test_a_map_has_the_images_size_and_the_network_is_as_before(
    method: str, preset: str, shape: tuple[int, int, int]
) -> None:
    if shape[1] > 32 and method in ("integrated-gradients", "occlusion") and preset == "small-resnet":
        pytest.skip("minutes of work for nothing new")
    asked = question(preset, shape)
    before = {name: tensor.clone() for name, tensor in asked.network.state_dict().items()}
    generator = torch.random.get_rng_state()
    values = whole(method, asked).values
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
        whole(method, asked)
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
    found = whole("grad-cam", asked).values
    assert torch.allclose(captum, coarse, atol=1e-6)
    assert torch.allclose(found, F.interpolate(coarse, (28, 28), mode="bilinear")[0, 0], atol=1e-6)


@pytest.mark.parametrize("preset", PRESETS)
def test_integrated_gradients_are_complete_to_one_percent_and_captums(preset: str) -> None:
    asked = question(preset)
    attribution = whole("integrated-gradients", asked)
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
    assert torch.allclose(whole("saliency", asked).values, weights.abs())
    assert torch.allclose(whole("smooth-grad", asked).values, weights.abs())
    assert torch.allclose(whole("integrated-gradients", asked).values, weights * pixels)
    assert torch.allclose(whole("occlusion", asked).values, weights * pixels)  # one pixel at a time


def test_grad_cam_finds_where_the_one_filter_that_counts_fires() -> None:
    conv = nn.Conv2d(1, 2, 1, bias=False)
    conv.weight.data = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1)
    last = nn.Linear(2, 2, bias=False)
    last.weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0]])  # class 0 counts bright places
    network = nn.Sequential(conv, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), last).eval()
    pixels = torch.zeros(1, 1, 4, 4)
    pixels[0, 0, 1, 2] = 1
    values = whole("grad-cam", Question(network, pixels, torch.zeros_like(pixels), 0, "1")).values
    assert values.nonzero().tolist() == [[1, 2]]
    guided = whole("guided-grad-cam", Question(network, pixels, torch.zeros_like(pixels), 0, "1")).values
    assert guided.nonzero().tolist() == [[1, 2]]


def test_smooth_grad_is_the_same_each_time() -> None:
    asked = question("compact")
    first, second = (whole("smooth-grad", asked).values for _ in range(2))
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


@pytest.mark.parametrize("preset", ["compact", "small-resnet"])
def test_guided_grad_cam_and_smooth_grad_and_occlusion_are_captums(preset: str) -> None:
    asked = question(preset, (3, 32, 32))
    network, layer = asked.network, asked.network.get_submodule(asked.layer)
    leaf = asked.inputs.clone().requires_grad_()
    guided = GuidedGradCam(network, layer).attribute(leaf, asked.target, interpolate_mode="bilinear")
    assert torch.allclose(whole("guided-grad-cam", asked).values, guided.detach()[0].sum(0), atol=1e-6)
    spread = NOISE * float(asked.inputs.max() - asked.inputs.min())
    with seeded(0):
        smooth = NoiseTunnel(Saliency(network)).attribute(
            leaf, nt_type="smoothgrad", nt_samples=NOISES, stdevs=spread, target=asked.target
        )
    assert torch.allclose(whole("smooth-grad", asked).values, smooth[0].amax(0), atol=1e-6)
    with torch.no_grad():
        occluded = Occlusion(network).attribute(
            asked.inputs, (3, 4, 4), (3, 2, 2), asked.blank, asked.target, perturbations_per_eval=64
        )
    assert torch.allclose(whole("occlusion", asked).values, occluded[0, 0].float(), atol=1e-5)


@pytest.mark.parametrize("method", ["smooth-grad", "integrated-gradients", "occlusion"])
def test_a_network_with_large_maps_is_asked_about_few_images_at_once(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = question("compact")
    (once,) = [step for step in METHODS[method].steps(asked) if step.done == 1]
    sizes: list[int] = []
    asked.network.register_forward_pre_hook(lambda module, inputs: sizes.append(len(inputs[0])))
    one = sum(found.after.nbytes for found in look(asked.network, asked.inputs).values())
    monkeypatch.setattr("cnnlab.analysis.activations.KEPT_BYTES", 5 * one)
    steps = list(METHODS[method].steps(asked))
    assert max(sizes) == 5
    assert len(steps) > 5
    progress = [step.done for step in steps]
    assert progress == sorted(progress)
    assert 0 < progress[0] < 1 == progress[-1]
    assert torch.allclose(steps[-1].values, once.values, atol=1e-6)


def small(activation: type[nn.Module]) -> nn.Sequential:
    """Layers of random weights, large enough that numbers between them pass 6."""
    with seeded(0):
        layers = (nn.Conv2d(1, 4, 3), activation(), nn.Conv2d(4, 4, 3), activation(), nn.Flatten(), nn.Linear(64, 3))
    network = nn.Sequential(*layers).eval()
    for parameter in network.parameters():
        parameter.data *= 12
    return network


def test_relu6_is_guided_as_its_definition_says() -> None:
    network = small(nn.ReLU6)
    first, second, last = (network[number].get_parameter("weight") for number in (0, 2, 5))
    inputs = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    wide = F.conv2d(inputs, first, network[0].get_parameter("bias"))
    deep = F.conv2d(wide.clamp(0, 6), second, network[2].get_parameter("bias"))
    assert all((maps > 6).any() and (maps < 0).any() for maps in (wide, deep))  # both bounds matter

    def guided(gradient: Tensor, maps: Tensor) -> Tensor:
        return gradient * (maps > 0) * (maps < 6) * (gradient > 0)

    by_deep = last[2].view_as(deep)
    by_wide = F.conv_transpose2d(guided(by_deep, deep), second)
    by_inputs = F.conv_transpose2d(guided(by_wide, wide), first)
    weighed = (by_deep.mean((2, 3), keepdim=True) * deep.clamp(0, 6)).sum(1, keepdim=True).relu()
    wanted = F.interpolate(weighed, (8, 8), mode="bilinear") * by_inputs
    found = whole("guided-grad-cam", Question(network, inputs, torch.zeros_like(inputs), 2, "3"))
    assert wanted.abs().max() > 0
    assert torch.allclose(found.values, wanted[0, 0].detach(), rtol=1e-4)
    assert not found.note


@pytest.mark.parametrize("activation", [nn.ReLU, nn.ReLU6, nn.Hardswish, nn.Tanh])
def test_it_tells_where_nothing_is_guided(activation: type[nn.Module]) -> None:
    inputs = torch.rand(1, 1, 8, 8)
    found = whole("guided-grad-cam", Question(small(activation), inputs, torch.zeros_like(inputs), 2, "3"))
    assert ("nothing is guided" in found.note) == (activation not in (nn.ReLU, nn.ReLU6))


FINE = {
    "compact": "conv5",
    "lean": "conv4",
    "quick": "conv3",
    "accurate": "conv5",
    "colour": "conv5",
    "basic-cnn": "pool2",
    "classification-snippet": "pool2",
    "seven-step-mnist": "relu2",
    "fashion-part-3": "relu3",
    "conv2d-tour": "relu3",
    "lenet-5": "tanh2",
    "small-vgg": "relu6",
    "small-resnet": "block6.activation",
}


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("shape", SHAPES[:2], ids=str)
def test_grad_cam_looks_at_the_last_maps_of_a_small_network_that_are_fine(
    preset: str, shape: tuple[int, int, int]
) -> None:
    network = build(PRESETS[preset], shape, 10).eval()
    assert default_layer(network, feature_maps(network, torch.zeros(1, *shape)), shape[1]) == FINE[preset]


@pytest.mark.parametrize(("side", "places"), [(96, 3), (128, 4), (224, 7)])
def test_grad_cam_looks_at_the_end_of_a_deep_network(side: int, places: int) -> None:
    layers = (Resize(size=side), *lite0(), Linear(out_features="classes"))
    network = build(Architecture(name="deep", title="Deep", layers=layers), (3, 32, 32), 10).eval()
    maps = feature_maps(network, torch.zeros(1, 3, 32, 32))
    chosen = default_layer(network, maps, 32)
    assert maps[chosen].shape[1:] == (1280, places, places)
    assert isinstance(network.get_submodule(chosen), nn.ReLU6)


def test_grad_cam_looks_at_the_last_maps_where_all_are_coarse() -> None:
    network = nn.Sequential(nn.MaxPool2d(8), nn.MaxPool2d(4))
    maps = {name: torch.zeros(1, 2, side, side) for name, side in (("0", 28), ("1", 7))}
    assert default_layer(network, maps, 28) == "1"
    assert default_layer(network, maps, 224) == "1"
    assert default_layer(network, {"0": torch.zeros(1, 2, 2, 2), "1": torch.zeros(1, 2, 1, 1)}, 224) == "1"
