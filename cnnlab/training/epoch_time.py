"""Estimates of the time of an epoch: each layer is measured alone for an instant, as training runs it, and added up.

A layer's time depends on itself, its input and the training's settings, and hardly on the rest of the network: after an
edit only what it affects must be measured, and a ``Stopwatch`` remembers everything else. The time of a step beside its
layers is measured on a training of a network that has none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from math import prod
from statistics import median
from threading import Lock
from time import perf_counter
from typing import Literal

import torch
from pydantic import TypeAdapter
from torch import Tensor, nn

from cnnlab.data import augmentation
from cnnlab.data.batches import prepared_at_once
from cnnlab.data.datasets import dataset_spec
from cnnlab.data.loading import Data
from cnnlab.data.spec import DatasetSpec
from cnnlab.data.splits import Split
from cnnlab.networks.architecture import BYTES_PER_NUMBER, Draft, LayerSummary, follow
from cnnlab.networks.build import layer_module, seed_dropout, seeded
from cnnlab.networks.layers import Layer, Shape
from cnnlab.training.config import RunConfig, parse_config
from cnnlab.training.device import (
    Accelerator,
    choose_device,
    choose_precision,
    compute_exactly,
    keep_freed_memory,
    wait_for,
)
from cnnlab.training.loop import Training
from cnnlab.training.memory import MOMENTS, augmented_bytes
from cnnlab.training.optimizer import make_optimizer

log = logging.getLogger(__name__)

# A layer above either bound is measured on fewer images of the batch.
MEASURED_BYTES = 64 * 10**6  # input and output
MEASURED_MACS = 4 * 10**9  # some tenths of a second on a slow core
# A layer above this on a single image is not measured: a measurement can end between two layers, not within one.
LARGEST_BYTES = 10**9
LARGEST_MACS = 5 * 10**10
BOTH_WAYS = 2  # of inputs and outputs: they and their gradients
REPEATS = 15  # at most
PATIENCE = 0.06  # seconds of repeats; an action whose first call takes longer is repeated only once
QUEUED = 10  # calls measured together where the device works through a queue
REST_EPOCHS = 4  # of the training without layers; the first warms up
KNOWN = 5_000  # pieces remembered
ASKING = 32  # clients that may want measurements at the same time

_LAYER: TypeAdapter[Layer] = TypeAdapter(Layer)


@dataclass(frozen=True)
class Terms:
    """What the time of a layer depends on beside the layer."""

    batch_size: int
    device: str
    precision: str
    optimizer: str


@dataclass(frozen=True)
class LayerPiece:
    """A layer and its position in training: its input and its terms."""

    layer: str  # as JSON, without names
    shape: Shape  # of its input
    classes: int
    passes_back: bool  # a layer before it learns, so that its input's gradient is needed
    images: int  # of the batch, that it is measured on
    terms: Terms
    kind: Literal["layer"] = "layer"


@dataclass(frozen=True)
class RestPiece:
    """The work of training beside the layers: preparing images, the loss, the optimiser's step, validation."""

    shape: Shape  # of an image
    classes: tuple[str, ...]
    augmentation: str
    images: int  # of the batch, that it is measured on
    terms: Terms
    kind: Literal["rest"] = "rest"


Piece = LayerPiece | RestPiece  # a unit of measurement; equal pieces take the same time


@dataclass(frozen=True)
class Cost:
    """Seconds of one training step with a whole batch, and of validating one image."""

    step: float
    judged: float

    def epoch(self, steps: float, judged: int) -> float:
        """Return the seconds of an epoch of ``steps`` steps that validates on ``judged`` images."""
        return steps * self.step + judged * self.judged


@dataclass(frozen=True)
class EpochTime:
    """Seconds of an epoch, validation included; None where they are unknown."""

    layers: tuple[float | None, ...]  # in the draft's order
    rest: float | None
    waiting: int  # parts that are still to be measured; the others do not fit or are too large

    @property
    def total(self) -> float | None:
        """Seconds of all parts; None while any part is missing."""
        parts = (*self.layers, self.rest)
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None


def pieces(draft: Draft, config: RunConfig, spec: DatasetSpec) -> list[Piece | None]:
    """Return the pieces to measure: one for each layer of ``draft``, trained with ``config``, then one for the rest.

    A layer that does not fit or is too large has None. The config's own network is ignored. Raises ConfigError where
    the device is missing.
    """
    device = choose_device(config.device)
    precision = str(choose_precision(config.precision, device)).removeprefix("torch.")
    trained, _ = epoch_images(config, spec)
    terms = Terms(min(config.batch_size, trained), str(device), precision, config.optimizer)
    at_once = min(config.images_at_once, trained)
    rows = [row for row in follow(draft, spec.shape, len(spec.classes)) if len(row.place) == 1]
    learning = [row.parameters > 0 for row in rows]
    layers = [_layer_piece(row, len(spec.classes), any(learning[:at]), at_once, terms) for at, row in enumerate(rows)]
    chosen = augmentation.choose(config.augmentation, spec.augmentation).__name__
    images = _images(augmented_bytes(config, spec), 0, terms.batch_size)
    return [*layers, RestPiece(spec.shape, spec.classes, chosen, images, terms)]


def epoch_images(config: RunConfig, spec: DatasetSpec) -> tuple[int, int]:
    """Return how many images an epoch trains on, and how many it validates on."""
    judged = round(spec.sizes[0] * config.validation_fraction)
    return max(1, round((spec.sizes[0] - judged) * config.train_fraction)), judged


def without_data(shape: Shape, classes: int, images: int) -> DatasetSpec:
    """Describe a data set without data, of ``images`` = the numbers to train on and to hold out of them."""
    channels = shape[0]
    return replace(
        dataset_spec("mnist-sample"),
        name="none",
        shape=shape,
        classes=tuple(f"class {number}" for number in range(classes)),
        sizes=(images, 0),
        mean=(0.5,) * channels,
        std=(0.5,) * channels,
        augmentation="flip",
    )


def unnamed(layer: Layer) -> Layer:
    """Return the layer without its name and the names of the layers within it."""
    chains = [tuple(map(unnamed, chain)) for chain in layer.chains.values()]
    bare = layer.model_copy(update={"name": None})
    return bare.with_chains(chains) if chains else bare


def is_measurable(row: LayerSummary) -> bool:
    """Tell whether a layer fits its input and is small enough to be measured."""
    weights = row.parameters * BYTES_PER_NUMBER * (2 + max(MOMENTS.values()))
    return bool(row.output_shape) and weights + BOTH_WAYS * _bytes(row) <= LARGEST_BYTES and row.macs <= LARGEST_MACS


def _layer_piece(row: LayerSummary, classes: int, passes_back: bool, at_once: int, terms: Terms) -> LayerPiece | None:
    if not is_measurable(row):
        return None
    layer = unnamed(row.layer).model_dump_json()
    images = _images(_bytes(row), row.macs, at_once)
    return LayerPiece(layer, row.input_shape, classes, passes_back, images, terms)


def _bytes(row: LayerSummary) -> int:
    """Return the bytes of the input and all outputs of a layer for one image."""
    return prod(row.input_shape) * BYTES_PER_NUMBER + row.activation_bytes


def _images(each: int, macs: int, at_once: int) -> int:
    """Return how many of the images at once stay within the bounds; at least two, because batch norm needs two."""
    return max(2, min(at_once, MEASURED_BYTES // each, MEASURED_MACS // max(macs, 1)))


def measure(piece: Piece) -> Cost:
    """Measure a piece on random images, on the torch threads of the calling thread.

    It has no side effects: weights, gradients and random numbers are its own.
    """
    keep_freed_memory()
    return _measure_layer(piece) if piece.kind == "layer" else _measure_rest(piece)


def _measure_layer(piece: LayerPiece) -> Cost:
    terms = piece.terms
    device, precision = torch.device(terms.device), getattr(torch, terms.precision)
    compute_exactly(device)
    with seeded(0):
        module = layer_module(_LAYER.validate_json(piece.layer), piece.shape, piece.classes)
    accelerator = Accelerator(device, precision)
    accelerator.place(module)
    seed_dropout(module, 0, device)
    inputs = torch.randn(piece.images, *piece.shape, generator=torch.Generator().manual_seed(0)).to(device)
    if inputs.dim() == 4:
        inputs = inputs.contiguous(memory_format=accelerator.layout)
    # Behind a layer that learns, autocast has made them 16 bits wide.
    flowing = inputs.detach().to(precision).requires_grad_() if piece.passes_back else inputs
    passes = median_seconds(_passes(module.train(), flowing, precision), device)
    update = median_seconds(_update(module, terms.optimizer, device), device) if list(module.parameters()) else 0.0
    judged = median_seconds(_judging(module.eval(), inputs), device)
    # An optimiser's step takes the same time for any number of images.
    return Cost(passes * terms.batch_size / piece.images + update, judged / piece.images)


def _passes(module: nn.Module, inputs: Tensor, precision: torch.dtype) -> Callable[[], None]:
    """Return an action that runs the module forward and, where anything learns, backward."""

    def step() -> None:
        module.zero_grad()
        inputs.grad = None
        with torch.autocast(inputs.device.type, precision, enabled=precision != torch.float32):
            out = module(inputs)
        if out.requires_grad:
            out.backward(torch.ones_like(out))  # newly written, as by the next layer

    return step


def _update(module: nn.Module, optimizer: str, device: torch.device) -> Callable[[], object]:
    """Return an action that takes the optimiser's step with the gradients of the last backward pass."""
    return make_optimizer(module, parse_config({"optimizer": optimizer}), device).step


def _judging(module: nn.Module, inputs: Tensor) -> Callable[[], None]:
    def judge() -> None:
        with torch.inference_mode():
            module(inputs)

    return judge


def median_seconds(action: Callable[[], object], device: torch.device) -> float:
    """Return the median seconds of several calls of ``action``, after a first one to warm up."""
    first = _timed(action, device)
    if first > PATIENCE:
        return min(first, _timed(action, device))
    times: list[float] = []
    while len(times) < 3 or (len(times) < REPEATS and sum(times) < PATIENCE):
        times.append(_timed(action, device))
    return median(times)


def _timed(action: Callable[[], object], device: torch.device) -> float:
    calls = 1 if device.type == "cpu" else QUEUED
    began = perf_counter()
    for _ in range(calls):
        action()
    wait_for(device)
    return (perf_counter() - began) / calls


class _Nothing(nn.Module):
    """A network without layers: (N, C, H, W) → the same logits (N, classes) whatever comes in."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.logits.expand(len(x), -1)


def _measure_rest(piece: RestPiece) -> Cost:
    """Measure epochs over random images: the meter gives the seconds of steps, the rest is validation."""
    terms, classes = piece.terms, len(piece.classes)
    count = max(prepared_at_once(piece.images, piece.shape), piece.images)
    draws = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, *piece.shape), generator=draws, dtype=torch.uint8)
    split = Split(images, torch.randint(0, classes, (count,), generator=draws))
    spec = replace(without_data(piece.shape, classes, count), classes=piece.classes)
    config = parse_config(
        {
            "batch_size": piece.images,
            "optimizer": terms.optimizer,
            "augmentation": piece.augmentation,
            "device": terms.device,
            "precision": terms.precision,
            "epochs": REST_EPOCHS,
        }
    )
    training = Training(_Nothing(classes), Data(spec, split, split, split), config)
    epochs = [event for event in training.events() if event.kind == "epoch"]
    trained = median(1 / epoch.images_per_second for epoch in epochs[1:])  # seconds an image
    both = (epochs[-1].seconds - epochs[0].seconds) / (REST_EPOCHS - 1) / count
    return Cost(trained * terms.batch_size, max(0.0, both - trained))


class Stopwatch:
    """A memory of the times of pieces, which also lists what is still to be measured. It is thread-safe."""

    def __init__(self, measure: Callable[[Piece], Cost] = measure) -> None:
        self._measure = measure
        self._known: dict[Piece, Cost | None] = {}  # None: measuring it failed
        self._wanted: dict[str, list[Piece]] = {}  # by client, the latest last
        self._walker: object | None = None
        self._lock = Lock()

    def epoch(self, draft: Draft, config: RunConfig, spec: DatasetSpec) -> EpochTime:
        """Return the known times of an epoch of ``draft`` trained with ``config``. Raises as ``pieces``."""
        found = pieces(draft, config, spec)
        trained, judged = epoch_images(config, spec)
        with self._lock:
            costs = [self._known.get(piece) if piece else None for piece in found]
            waiting = len(self._unknown(found))
        steps = trained / min(config.batch_size, trained)  # the last one may be partial
        *layers, rest = (cost.epoch(steps, judged) if cost else None for cost in costs)
        return EpochTime(tuple(layers), rest, waiting)

    def want(self, who: str, draft: Draft, config: RunConfig, spec: DatasetSpec) -> bool:
        """Request the unknown pieces of ``draft``, in place of the last request of ``who``.

        Returns whether ``measurements`` must run. Raises as ``pieces``.
        """
        found = pieces(draft, config, spec)
        with self._lock:
            self._wanted.pop(who, None)
            self._wanted[who] = self._unknown(found)
            while len(self._wanted) > ASKING:
                del self._wanted[next(iter(self._wanted))]
            return bool(self._wanted[who]) and self._walker is None

    def forget(self) -> None:
        """Forget all times: those measured beside other work should be measured again."""
        with self._lock:
            self._known.clear()

    def measurements(self) -> Generator[Piece]:
        """Measure the requested pieces one by one, the latest request first, until none is left; one walk at a time.

        The generator may be closed after any piece.
        """
        me = object()
        try:
            while piece := self._next(me):
                self._note(piece, self._measured(piece))
                yield piece
        finally:
            with self._lock:
                self._walker = None if self._walker is me else self._walker

    def _next(self, walker: object) -> Piece | None:
        """Return the piece to measure now; a walker that gets None must stop."""
        with self._lock:
            if self._walker not in (None, walker):
                return None
            piece = next((piece for found in reversed(self._wanted.values()) for piece in found), None)
            self._walker = walker if piece else None
            return piece

    def _measured(self, piece: Piece) -> Cost | None:
        try:
            return self._measure(piece)
        except (RuntimeError, ValueError, MemoryError):  # too little memory, or an operation that this device lacks
            log.warning("could not measure %s", piece, exc_info=True)
            return None

    def _note(self, piece: Piece, cost: Cost | None) -> None:
        with self._lock:
            self._known[piece] = cost
            while len(self._known) > KNOWN:
                del self._known[next(iter(self._known))]
            # Removed from all requests, also where its time is soon forgotten.
            for found in self._wanted.values():
                found[:] = [other for other in found if other != piece]

    def _unknown(self, found: Sequence[Piece | None]) -> list[Piece]:
        """Return the pieces without a known time, each once, in their order."""
        return list(dict.fromkeys(piece for piece in found if piece and piece not in self._known))
