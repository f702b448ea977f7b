"""Attribution: maps of how much each pixel of one image contributes to a class."""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import spearmanr
from torch import Tensor, nn

from cnnlab.analysis.activations import RELUS, images_at_once, leaves, watched
from cnnlab.networks.build import seeded

INTEGRATION_STEPS = (64, 128, 256, 512, 1024)  # the next where a map is not complete
COMPLETE = 0.01  # how far the sum of integrated gradients may be from what it should be, a share of that
AT_ONCE = 64  # images in one pass, at the most
NOISES = 32  # images averaged by SmoothGrad
NOISE = 0.15  # their deviation, a share of the image's range (Smilkov et al. 2017)
WINDOW = 7  # an occluding square is a seventh of the image's side
COARSEST = 3  # places a side of the maps that Grad-CAM weighs by default, where there are such


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
    """A map (H, W) as far as it is computed, and what was found on the way."""

    values: Tensor
    note: str = ""
    done: float = 1.0  # fraction


@dataclass(frozen=True)
class Method:
    """A way to attribute, how to read its map, and whose it is."""

    title: str
    steps: Callable[[Question], Generator[Attribution]]  # the last is the whole map
    reading: str
    source: str
    signed: bool = False  # negative values speak against the class
    uses_layer: bool = False


def default_layer(network: nn.Module, maps: Mapping[str, Tensor], height: int) -> str:
    """Choose the layer for Grad-CAM among those with ``maps`` (N, C, h, w), for an image of ``height``.

    This is the last whose maps have at least a quarter of the image's side, if at most one convolution follows it;
    else the last of all whose maps are not too coarse.
    """
    # Classes are told apart by the last maps, so these are weighed (Selvaraju et al. 2017). In a shallow network a pool
    # or one more convolution makes them coarse without changing much what they find: there, finer ones show more. In a
    # deep one, maps a quarter of the image's side find edges and textures.
    readable = [name for name, found in maps.items() if found.shape[2] >= COARSEST] or list(maps)
    fine = [name for name in readable if 4 * maps[name].shape[2] >= height]
    modules = leaves(network)
    behind = readable[readable.index(fine[-1]) + 1 :] if fine else readable
    is_shallow = sum(isinstance(modules[name], nn.Conv2d) for name in behind) <= 1
    return fine[-1] if fine and is_shallow else readable[-1]


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


def _grad_cam(asked: Question) -> Generator[Attribution]:
    coarse = _weighed_maps(asked)
    rows, columns = coarse.shape[2:]
    note = f"the maps of {asked.layer} see the image as {rows}×{columns} places"
    yield Attribution(_enlarged(coarse, asked), note)


def _guided_grad_cam(asked: Question) -> Generator[Attribution]:
    coarse = _weighed_maps(asked)
    with _guided(asked.network) as has_relu:
        guided = _gradients(asked, asked.inputs)
    note = "" if has_relu else "this network has no ReLUs, so nothing is guided"
    yield Attribution(_enlarged(coarse, asked) * guided[0].sum(0), note)


def _saliency(asked: Question) -> Generator[Attribution]:
    yield Attribution(_gradients(asked, asked.inputs)[0].abs().amax(0))


def _smooth_grad(asked: Question) -> Generator[Attribution]:
    spread = NOISE * (asked.inputs.max() - asked.inputs.min())
    noises = spread * torch.randn(NOISES, *asked.inputs.shape[1:], generator=torch.Generator().manual_seed(0))
    total, count = torch.zeros_like(asked.inputs[0]), 0
    for part in noises.split(_at_once(asked)):
        total += _gradients(asked, asked.inputs + part).abs().sum(0)
        count += len(part)
        yield Attribution(total.amax(0) / count, f"mean of {count} noisy copies", count / NOISES)


def _integrated_gradients(asked: Question) -> Generator[Attribution]:
    """Take more steps until the map is complete: its sum is the image's logit less that of a black image."""
    image, black = _logits(asked, torch.cat([asked.inputs, asked.blank])).tolist()
    wanted, before = image - black, 0
    for steps in INTEGRATION_STEPS:
        for count, values in _integral(asked, steps):
            yield Attribution(values, done=(before + count) / (sum(INTEGRATION_STEPS) + 1))
        before += steps
        missing = abs(values.sum().item() - wanted)
        if missing <= COMPLETE * abs(wanted):
            break
    share = missing / abs(wanted) if wanted else 0.0
    note = f"sum {values.sum():.3f} of the {wanted:.3f} between this image's logit and a black one's: {share:.2%} off, "
    yield Attribution(values, f"{note}{steps} steps")


def _integral(asked: Question, steps: int) -> Generator[tuple[int, Tensor]]:
    """Integrate the gradient from the black image to this one (Gauss-Legendre); yield the steps taken, and the map."""
    way = asked.inputs - asked.blank
    nodes, weights = (
        torch.tensor(numbers).float().view(-1, 1, 1, 1) for numbers in np.polynomial.legendre.leggauss(steps)
    )
    total, count = torch.zeros_like(way[0]), 0
    for node, weight in zip(nodes.split(_at_once(asked)), weights.split(_at_once(asked)), strict=True):
        total += (_gradients(asked, asked.blank + (1 + node) / 2 * way) * weight / 2).sum(0)
        count += len(node)
        yield count, (total * way[0]).sum(0)


def _occlusion(asked: Question) -> Generator[Attribution]:
    """Average, for each pixel, over the squares that cover it."""
    height, width = asked.inputs.shape[2:]
    rows, columns = max(1, height // WINDOW), max(1, width // WINDOW)
    squares = _squares(height, width, rows, columns)
    (whole,) = _logits(asked, asked.inputs)
    falls = torch.zeros(height, width)
    done = 0
    for part in squares.split(_at_once(asked)):
        drops = whole - _logits(asked, torch.where(part, asked.blank, asked.inputs))
        falls += (drops[:, None, None] * part[:, 0]).sum(0)
        done += len(part)
        covered = squares[:done, 0].sum(0).clamp_min(1)
        yield Attribution(falls / covered, f"squares of {rows}×{columns} pixels were made black", done / len(squares))


def _squares(height: int, width: int, rows: int, columns: int) -> Tensor:
    """Return masks (N, 1, H, W) of squares that overlap by half and cover the image."""
    down, right = max(1, rows // 2), max(1, columns // 2)
    corners = [
        (top, left) for top in range(0, height - rows + down, down) for left in range(0, width - columns + right, right)
    ]
    masks = torch.zeros(len(corners), 1, height, width, dtype=torch.bool)
    for mask, (top, left) in zip(masks, corners, strict=True):
        mask[:, top : top + rows, left : left + columns] = True
    return masks


def _weighed_maps(asked: Question) -> Tensor:
    """Weigh the layer's maps by their mean gradients and add up what speaks for the class: (1, 1, h, w)."""
    kept: list[Tensor] = []

    def keep(name: str, before: Tensor, after: Tensor) -> None:
        if name == asked.layer:
            kept.append(after)

    with torch.enable_grad(), watched(asked.network, keep):
        logits = asked.network(asked.inputs.clone().requires_grad_())
    (gradient,) = torch.autograd.grad(logits[0, asked.target], kept)
    return (gradient.mean((2, 3), keepdim=True) * kept[0]).sum(1, keepdim=True).relu().detach()


def _enlarged(coarse: Tensor, asked: Question) -> Tensor:
    """Interpolate (1, 1, h, w) to the image's size: (H, W)."""
    return F.interpolate(coarse, asked.inputs.shape[2:], mode="bilinear")[0, 0]


@contextmanager
def _guided(network: nn.Module) -> Iterator[bool]:
    """Let only positive gradients back through ReLUs, within the context; yield whether the network has any.

    Springenberg et al. 2014, arXiv:1412.6806.
    """

    def guide(module: nn.Module, by_input: tuple[Tensor, ...], by_output: object) -> tuple[Tensor]:
        return (by_input[0].relu(),)

    relus = [module for module in network.modules() if isinstance(module, RELUS)]
    handles = [module.register_full_backward_hook(guide) for module in relus]
    try:
        yield bool(relus)
    finally:
        for handle in handles:
            handle.remove()


def _gradients(asked: Question, images: Tensor) -> Tensor:
    """Compute the gradient of the class's logit by each of ``images`` (N, C, H, W)."""
    with torch.enable_grad():
        images = images.detach().requires_grad_()
        (found,) = torch.autograd.grad(asked.network(images)[:, asked.target].sum(), [images])
    return found


def _logits(asked: Question, images: Tensor) -> Tensor:
    """Compute the class's logit of each of ``images`` (N, C, H, W)."""
    with torch.inference_mode():
        logits: Tensor = asked.network(images)[:, asked.target]
    return logits


def _at_once(asked: Question) -> int:
    return images_at_once(asked.network, asked.inputs, AT_ONCE)


METHODS: dict[str, Method] = {
    "grad-cam": Method(
        "Grad-CAM",
        _grad_cam,
        "Blue: the selected layer's maps support the class there.",
        "Selvaraju et al. 2017, arXiv:1610.02391",
        uses_layer=True,
    ),
    "guided-grad-cam": Method(
        "Guided Grad-CAM",
        _guided_grad_cam,
        "Grad-CAM times a gradient of positive parts only. It is sharp, but shows edges even for untrained networks. "
        "Check it below.",
        "Selvaraju et al. 2017, arXiv:1610.02391",
        signed=True,
        uses_layer=True,
    ),
    "saliency": Method(
        "Saliency",
        _saliency,
        "Blue: small changes of this pixel move the logit most, up or down.",
        "Simonyan et al. 2013, arXiv:1312.6034",
    ),
    "smooth-grad": Method(
        "SmoothGrad",
        _smooth_grad,
        "Saliency averaged over noisy copies of the image, which removes much of the noise.",
        "Smilkov et al. 2017, arXiv:1706.03825",
    ),
    "integrated-gradients": Method(
        "Integrated gradients",
        _integrated_gradients,
        "Divides the logit's rise from a black image to this one among the pixels. Blue raised it, red lowered it.",
        "Sundararajan et al. 2017, arXiv:1703.01365",
        signed=True,
    ),
    "occlusion": Method(
        "Occlusion",
        _occlusion,
        "How far the logit falls if a square there turns black. Blue: the class needs it. Red: it counts against the "
        "class.",
        "Zeiler and Fergus 2013, arXiv:1311.2901",
        signed=True,
    ),
}
