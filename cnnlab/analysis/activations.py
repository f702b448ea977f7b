"""Activations: inputs and outputs of each layer, their statistics, the image patches that activate a unit most."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab.data.splits import Split
from cnnlab.evaluation.evaluate import evaluation_batch
from cnnlab.jobs.worker import Part
from cnnlab.networks.receptive_field import ReceptiveField

BATCH = 100  # images at once, at the most
KEPT_BYTES = 250_000_000  # of all layers' outputs for the images at once, at the most: gradients take as much again
FEATURE_NUMBERS = 16_000_000  # that are kept of the features of all images: 64 MB

RELUS = (nn.ReLU, nn.ReLU6)  # what they give is zero or more, and stays zero where a unit is dead

Tell = Callable[[str, Tensor, Tensor], None]
Prepare = Callable[[Tensor], Tensor]  # images (N, C, H, W) uint8 to the network's inputs


@dataclass(frozen=True)
class Seen:
    """The input and the output of a layer, each (N, C, H, W) or (N, features)."""

    before: Tensor
    after: Tensor


@dataclass(frozen=True)
class LayerStatistics:
    """Statistics of a layer's outputs over many images."""

    name: str
    kind: str
    mean: float
    deviation: float
    zeros: float  # share of outputs that are exactly zero
    units: int  # channels of maps, or features
    dead: tuple[int, ...] | None  # units of a ReLU that no image and no place brings above zero; None without ReLU


@dataclass(frozen=True)
class Patch:
    """The part of an image that activates a unit most."""

    image: int
    value: float
    pixels: (
        Tensor  # (C, height, width) uint8: the unit's receptive field, black beyond the image, but no larger than it
    )


@contextmanager
def watched(network: nn.Module, tell: Tell, modules: Mapping[str, nn.Module] | None = None) -> Iterator[None]:
    """Call ``tell(name, input, output)``, within the context, for each layer a batch passes, also inside blocks.

    With ``modules`` of the network, named, call it for these instead.
    """

    def hook(name: str) -> Any:
        return lambda module, inputs, output: tell(name, inputs[0], output)

    chosen = leaves(network) if modules is None else modules
    handles = [module.register_forward_hook(hook(name)) for name, module in chosen.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def leaves(network: nn.Module) -> dict[str, nn.Module]:
    """List the layers that contain no others, by name."""
    return {
        name: module
        for name, module in network.named_modules()
        if name and not isinstance(module, nn.Sequential) and not any(module.children())
    }


def look(network: nn.Module, inputs: Tensor, modules: Mapping[str, nn.Module] | None = None) -> dict[str, Seen]:
    """Record input and output of every layer, or of ``modules``, for ``inputs`` (N, C, H, W), in forward order."""
    seen: dict[str, Seen] = {}

    def keep(name: str, before: Tensor, after: Tensor) -> None:
        seen[name] = Seen(before, after)

    _pass(network, inputs, keep, modules)
    return seen


def _pass(network: nn.Module, inputs: Tensor, tell: Tell, modules: Mapping[str, nn.Module] | None = None) -> None:
    """Pass ``inputs`` through the network without gradients, and tell of each layer."""
    with torch.inference_mode(), watched(network, tell, modules):
        network(inputs)


def feature_maps(network: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    """Collect the feature maps of each layer for ``inputs`` (N, C, H, W): name → (N, C', H', W')."""
    return {name: seen.after for name, seen in look(network, inputs).items() if seen.after.dim() == 4}


@dataclass
class _Tally:
    """Running sums over the outputs of one layer."""

    numbers: int = 0
    total: float = 0.0
    squares: float = 0.0
    zeros: int = 0
    highest: Tensor | float = -inf  # of each unit

    def add(self, output: Tensor) -> None:
        self.numbers += output.numel()
        numbers = output.cpu().numpy()  # which sums in 64 bits, as not every device does
        self.total += float(numbers.sum(dtype=np.float64))
        self.squares += float(np.square(numbers).sum(dtype=np.float64))
        self.zeros += int((output == 0).sum())
        highest = output.flatten(2).amax((0, 2)) if output.dim() == 4 else output.amax(0)
        self.highest = highest.clamp_min(self.highest)


def statistics(network: nn.Module, images: Split, prepare: Prepare) -> Generator[Part[list[LayerStatistics]]]:
    """Compute a row per layer over all ``images``. Raises ValueError where there are none."""
    if not len(images):
        raise ValueError("statistics need at least one image")
    tallies: dict[str, _Tally] = {}
    done = 0

    def count(name: str, before: Tensor, after: Tensor) -> None:
        tallies.setdefault(name, _Tally()).add(after)

    for inputs in in_batches(network, images, prepare):
        _pass(network, inputs, count)
        done += len(inputs)
        yield Part(done / len(images))
    modules = leaves(network)
    yield Part(1.0, [_row(name, modules[name], tally) for name, tally in tallies.items()])


def _row(name: str, module: nn.Module, tally: _Tally) -> LayerStatistics:
    mean = tally.total / tally.numbers
    highest = torch.as_tensor(tally.highest)  # (units,)
    is_relu = isinstance(module, RELUS)
    return LayerStatistics(
        name=name,
        kind=type(module).__name__,
        mean=mean,
        deviation=max(tally.squares / tally.numbers - mean**2, 0.0) ** 0.5,
        zeros=tally.zeros / tally.numbers,
        units=len(highest),
        dead=tuple((highest <= 0).nonzero().flatten().tolist()) if is_relu else None,
    )


def relu_of(network: nn.Module, convolution: str) -> str | None:
    """Find the ReLU that a convolution's channels reach unmixed, past pools and norms; None where there is none."""
    prefix, _, own = convolution.rpartition(".")
    chain = network.get_submodule(prefix)
    names = [name for name, _ in chain.named_children()]
    for name in names[names.index(own) + 1 :]:
        module = chain.get_submodule(name)
        if isinstance(module, RELUS):
            return f"{prefix}.{name}".lstrip(".")
        if isinstance(module, nn.Conv2d | nn.Linear | nn.Flatten) or any(module.children()):
            return None
    return None


def convolution_of(network: nn.Module, layer: str) -> str | None:
    """Find the convolution whose filters made a layer's maps; None where channels were mixed or summed since."""
    prefix, _, own = layer.rpartition(".")
    chain = network.get_submodule(prefix)
    if not isinstance(chain, nn.Sequential):
        return None
    names = [name for name, _ in chain.named_children()]
    for name in reversed(names[: names.index(own) + 1]):
        module = chain.get_submodule(name)
        if isinstance(module, nn.Conv2d):
            return f"{prefix}.{name}".lstrip(".")
        if isinstance(module, nn.Linear | nn.Flatten) or any(module.children()):
            return None
    return None


def strongest_patches(
    network: nn.Module,
    layer: str,
    unit: int,
    images: Split,
    prepare: Prepare,
    seen_by: ReceptiveField,
    count: int = 9,
) -> Generator[Part[list[Patch]]]:
    """Find the ``count`` of ``images`` that activate channel ``unit`` of ``layer`` most, and where.

    ``prepare`` makes the network's inputs of images; ``seen_by`` is the layer's receptive field.
    """
    values: list[Tensor] = []
    places: list[tuple[int, int]] = []

    def note(name: str, before: Tensor, after: Tensor) -> None:
        if name == layer:
            value, place = after[:, unit].flatten(1).max(1)  # (N, H', W') → (N,)
            values.append(value)
            places.extend(divmod(index, after.shape[3]) for index in place.tolist())

    for inputs in in_batches(network, images, prepare):
        _pass(network, inputs, note)
        yield Part(len(places) / len(images))
    found = torch.cat(values)
    best = found.topk(min(count, len(found))).indices.tolist()
    yield Part(
        1.0,
        [Patch(index, found[index].item(), _cut(images.image(index), *seen_by.box(*places[index]))) for index in best],
    )


def _cut(image: Tensor, top: int, left: int, bottom: int, right: int) -> Tensor:
    """Cut a box out of (C, H, W), black beyond the image; along an axis where the box is larger, the whole image."""
    height, width = image.shape[1:]
    if bottom - top >= height:
        top, bottom = 0, height
    if right - left >= width:
        left, right = 0, width
    beyond = max(0, -left, right - width), max(0, -top, bottom - height)
    wide = F.pad(image, (beyond[0], beyond[0], beyond[1], beyond[1]))
    return wide[:, top + beyond[1] : bottom + beyond[1], left + beyond[0] : right + beyond[0]]


def penultimate(network: nn.Module, images: Tensor | Split, prepare: Prepare) -> Tensor:
    """Compute the inputs of the last linear layer: (N, C, H, W) uint8 → (N, features)."""
    return torch.cat(list(features_in_batches(network, images, prepare)))


def features_in_batches(network: nn.Module, images: Tensor | Split, prepare: Prepare) -> Iterator[Tensor]:
    """Compute what ``penultimate`` does, some images at a time."""
    last, _ = _last_linear(network)
    features: list[Tensor] = []

    def keep(name: str, before: Tensor, after: Tensor) -> None:
        if name == last:
            features.append(before)

    for inputs in in_batches(network, images, prepare):
        _pass(network, inputs, keep)
        yield features.pop()


def logits_and_features(network: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the logits (N, classes) and, in the same pass, the inputs (N, features) of the last linear layer."""
    _, last = _last_linear(network)
    kept: list[Tensor] = []
    hook = last.register_forward_pre_hook(lambda layer, given: kept.append(given[0]))
    try:
        with torch.inference_mode():
            logits: Tensor = network(inputs)
    finally:
        hook.remove()
    return logits, kept.pop()


def classes_of(network: nn.Module, features: Tensor) -> Tensor:
    """Return the class (N,) that the network answers for the features (N, F) of its last linear layer."""
    _, last = _last_linear(network)
    with torch.inference_mode():
        logits: Tensor = last(features)
    return logits.argmax(1)


def in_batches(network: nn.Module, images: Tensor | Split, prepare: Prepare) -> Iterator[Tensor]:
    """Prepare images (N, C, H, W) uint8 in batches whose activations fit into memory together."""
    shape = images.shape if isinstance(images, Split) else images.shape[1:]
    first = images.image(0)[None] if isinstance(images, Split) else images[:1]
    for batch in images.split(images_at_once(network, prepare(first), min(BATCH, evaluation_batch(shape)))):
        yield prepare(batch)


def images_at_once(network: nn.Module, inputs: Tensor, most: int) -> int:
    """Return how many images such as ``inputs`` (1, C, H, W), ``most`` at the most, may pass the network together."""
    kept = sum(seen.after.nbytes for seen in look(network, inputs).values())
    return max(1, min(most, KEPT_BYTES // kept))


def affordable(network: nn.Module, count: int, numbers: int = FEATURE_NUMBERS) -> int:
    """Return of how many images, ``count`` at the most, features may be kept that are ``numbers`` at the most."""
    _, last = _last_linear(network)
    return max(1, min(count, numbers // last.in_features))


def _last_linear(network: nn.Module) -> tuple[str, nn.Linear]:
    return [(name, module) for name, module in leaves(network).items() if isinstance(module, nn.Linear)][-1]
