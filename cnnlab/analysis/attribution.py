"""Attribution: maps of how much each pixel of one image contributes to a class."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from cnnlab.analysis.activations import leaves
from cnnlab.networks.build import seeded

INTEGRATION_STEPS = 64, 1024  # first, and at the most
COMPLETE = 0.01  # how far the sum of integrated gradients may be from what it should be, a share of that
NOISES = 32  # images averaged by SmoothGrad
NOISE = 0.15  # their deviation, a share of the image's range (Smilkov et al. 2017)
WINDOW = 7  # an occluding square is a seventh of the image's side

# Captum tells each time that it sets hooks, and takes them off itself.
warnings.filterwarnings("ignore", "Setting backward hooks on ReLU activations", UserWarning)


@dataclass(frozen=True)
class Question:
    """Why ``target``, in this image? The network is in evaluation mode."""

    network: nn.Module
    inputs: Tensor  # (1, C, H, W)
    blank: Tensor  # (1, C, H, W): what a black image becomes
    target: int
    layer: str  # whose maps Grad-CAM weighs


@dataclass(frozen=True)
class Attribution:
    """A map (H, W), and what was found on the way."""

    values: Tensor
    note: str = ""


@dataclass(frozen=True)
class Method:
    """A way to attribute, how to read its map, and whose it is."""

    title: str
    compute: Callable[[Question], Attribution]
    reading: str
    source: str
    signed: bool = False  # negative values speak against the class
    uses_layer: bool = False


def default_layer(maps: Mapping[str, Tensor], height: int) -> str:
    """Choose the layer for Grad-CAM among those with ``maps`` (N, C, h, w), for an image of ``height``.

    This is the last whose maps have at least a quarter of the image's side; else the last of all.
    """
    fine = [name for name, found in maps.items() if 4 * found.shape[2] >= height]
    return (fine or list(maps))[-1]


def randomised(network: nn.Module, last_only: bool, seed: int = 181_003_292) -> nn.Module:
    """Copy the network with all or its last layer's weights random (Adebayo et al. 2018, arXiv:1810.03292).

    A map that is much the same for this copy does not show what the network learned.
    """
    copied = copy.deepcopy(network)
    modules = [module for module in leaves(copied).values() if hasattr(module, "reset_parameters")]
    with seeded(seed):
        for module in modules[-1:] if last_only else modules:
            module.reset_parameters()  # type: ignore[operator]
    return copied


def similarity(first: Tensor, second: Tensor) -> float:
    """Compute the rank correlation (Spearman) of two maps' magnitudes: 1 for the same order of pixels, 0 by chance."""
    if first.abs().max() == first.abs().min() or second.abs().max() == second.abs().min():
        return 0.0  # a flat map orders nothing
    return float(spearmanr(first.abs().flatten().numpy(), second.abs().flatten().numpy()).statistic)


def _captum() -> Any:
    """Import Captum's attributions late, as it takes a second that only a map needs."""
    from captum import attr  # noqa: PLC0415

    return attr


def _grad_cam(asked: Question) -> Attribution:
    layer = asked.network.get_submodule(asked.layer)
    coarse = _captum().LayerGradCam(asked.network, layer).attribute(asked.inputs, asked.target, relu_attributions=True)
    height, width = asked.inputs.shape[2:]
    fine = _captum().LayerAttribution.interpolate(coarse.detach(), (height, width), "bilinear")  # (1, 1, H, W)
    rows, columns = coarse.shape[2:]
    return Attribution(fine[0, 0], f"the maps of {asked.layer} see the image as {rows}×{columns} places")


def _guided_grad_cam(asked: Question) -> Attribution:
    layer = asked.network.get_submodule(asked.layer)
    method = _captum().GuidedGradCam(asked.network, layer, device_ids=None)
    found = method.attribute(_leaf(asked.inputs), asked.target, interpolate_mode="bilinear")
    has_relu = any(isinstance(module, nn.ReLU) for module in asked.network.modules())
    return Attribution(_summed(found), "" if has_relu else "without ReLUs in this network nothing is guided")


def _saliency(asked: Question) -> Attribution:
    found = _captum().Saliency(asked.network).attribute(_leaf(asked.inputs), asked.target)
    return Attribution(found.detach()[0].amax(0))


def _smooth_grad(asked: Question) -> Attribution:
    spread = NOISE * (asked.inputs.max() - asked.inputs.min()).item()
    method = _captum().NoiseTunnel(_captum().Saliency(asked.network))
    with seeded(0):  # Captum draws from torch's own generator
        found = method.attribute(
            _leaf(asked.inputs), nt_type="smoothgrad", nt_samples=NOISES, stdevs=spread, target=asked.target
        )
    return Attribution(found.detach()[0].amax(0), f"mean of {NOISES} noisy copies")


def _integrated_gradients(asked: Question) -> Attribution:
    """Double the steps until the map is complete: its sum is the image's logit less that of a black image."""
    with torch.inference_mode():
        logits = asked.network(torch.cat([asked.inputs, asked.blank]))[:, asked.target]
    wanted = (logits[0] - logits[1]).item()
    method = _captum().IntegratedGradients(asked.network)
    steps, most = INTEGRATION_STEPS
    while True:
        found = method.attribute(asked.inputs, asked.blank, asked.target, n_steps=steps, internal_batch_size=64)
        missing = abs(found.sum().item() - wanted)
        if missing <= COMPLETE * abs(wanted) or steps >= most:
            break
        steps *= 2
    share = missing / abs(wanted) if wanted else 0.0
    note = f"sum {found.sum():.3f} of the {wanted:.3f} between this image's logit and a black one's: {share:.2%} off, "
    return Attribution(_summed(found), f"{note}{steps} steps")


def _occlusion(asked: Question) -> Attribution:
    channels, height, width = asked.inputs.shape[1:]
    rows, columns = max(1, height // WINDOW), max(1, width // WINDOW)
    method = _captum().Occlusion(asked.network)
    with torch.inference_mode():
        found = method.attribute(
            asked.inputs,
            sliding_window_shapes=(channels, rows, columns),
            strides=(channels, max(1, rows // 2), max(1, columns // 2)),
            baselines=asked.blank,
            target=asked.target,
            perturbations_per_eval=64,
        )
    return Attribution(found[0, 0], f"squares of {rows}×{columns} pixels were made black")


def _leaf(inputs: Tensor) -> Tensor:
    """Copy the inputs so that they take gradients, as Captum wants them."""
    return inputs.clone().requires_grad_()


def _summed(attributed: Tensor) -> Tensor:
    """Sum over the channels: (1, C, H, W) → (H, W)."""
    return attributed.detach()[0].sum(0)


METHODS: dict[str, Method] = {
    "grad-cam": Method(
        "Grad-CAM",
        _grad_cam,
        "Bright places are where the chosen layer's maps speak for the class.",
        "Selvaraju et al. 2017, arXiv:1610.02391",
        uses_layer=True,
    ),
    "guided-grad-cam": Method(
        "Guided Grad-CAM",
        _guided_grad_cam,
        "Grad-CAM times a gradient that keeps only what excites: sharp, but it shows edges even where nothing was "
        "learned. Check it below.",
        "Selvaraju et al. 2017, arXiv:1610.02391",
        signed=True,
        uses_layer=True,
    ),
    "saliency": Method(
        "Saliency",
        _saliency,
        "Bright pixels are those whose smallest change moves the logit most, up or down.",
        "Simonyan et al. 2013, arXiv:1312.6034",
    ),
    "smooth-grad": Method(
        "SmoothGrad",
        _smooth_grad,
        "Saliency averaged over noisy copies of the image, which takes away much of its speckle.",
        "Smilkov et al. 2017, arXiv:1706.03825",
    ),
    "integrated-gradients": Method(
        "Integrated gradients",
        _integrated_gradients,
        "Shares out the logit's rise from a black image to this one: blue pixels brought it up, red ones down.",
        "Sundararajan et al. 2017, arXiv:1703.01365",
        signed=True,
    ),
    "occlusion": Method(
        "Occlusion",
        _occlusion,
        "How far the logit falls when a square there goes black: blue places are needed, red ones stand in the way.",
        "Zeiler and Fergus 2013, arXiv:1311.2901",
        signed=True,
    ),
}
