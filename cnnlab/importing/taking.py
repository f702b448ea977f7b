"""A file from elsewhere as a network with weights, for the images of a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from cnnlab.data.batches import Standardise, scaling
from cnnlab.data.loading import Data
from cnnlab.data.spec import DatasetSpec
from cnnlab.data.splits import sampled
from cnnlab.errors import first_error
from cnnlab.evaluation.evaluate import affordable_batch, evaluate
from cnnlab.importing.chain import Scale
from cnnlab.importing.checking import check_answers, check_examples
from cnnlab.importing.foreign_file import ForeignError
from cnnlab.importing.layer_list import Found, layers_of, named
from cnnlab.importing.metadata import Described
from cnnlab.importing.onnx_graph import Graph, shown
from cnnlab.importing.parts import EPS, Part, affine
from cnnlab.networks.architecture import Architecture, LayerSummary, summarise
from cnnlab.networks.build import build
from cnnlab.networks.designs import read_design
from cnnlab.runs.judged_run import EPOCH
from cnnlab.runs.trained import Trained

MAX_MACS = 20_000_000_000  # on one image: VGG-16's on a large photo are 15.5 thousand million
MAX_ACTIVATIONS = 500_000_000  # bytes on one image
GUESSED_BY = 300  # validation images
_WEIGHTS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
OF_BYTES = 40.0  # a spread of pixels above it is one of 0 to 255, below it of 0 to 1

Normalise = Literal["standard", "unit", "symmetric", "imagenet"]
NORMALISES: tuple[Normalise, ...] = get_args(Normalise)


@dataclass(frozen=True)
class Taken:
    """A network that was taken in."""

    architecture: Architecture
    trained: Trained
    normalise: Normalise
    is_guessed: bool = False  # by validation images: the file does not tell how its pixels are scaled
    difference: float | None = None  # from the file's answers; None where it has no answers of its own
    new_head: str = ""  # the name of a last layer that is new and untrained; empty where it is the file's


def of_graph(graph: Graph, known: Described | None, title: str, data: Data, normalise: Normalise | None) -> Taken:
    """Take in an ONNX file, and check that the network answers as it does. Raises as ``bring``."""
    if known:
        known.check(data.spec)
    found = layers_of(graph, data.spec.shape, len(data.spec.classes))
    taken = of_layers(graph, found, title, data, (normalise,) if normalise else NORMALISES)
    if known:
        check_examples(known, taken.trained)
    return taken


def of_layers(graph: Graph, found: Found, title: str, data: Data, scales: Sequence[Normalise]) -> Taken:
    """Build the layers that were found in an ONNX file, and check that they answer as it does.

    Where the file does not scale its pixels itself, the one of ``scales`` is taken that does best on the data's
    validation images; a single one asks for none. Raises ForeignError.
    """
    spec = data.spec
    if found.scale or graph.takes_bytes:
        none = Scale(torch.ones(spec.shape[0]), torch.zeros(spec.shape[0]))
        mean, std, largest = _pixels(found.scale or none, graph.takes_bytes)
        own = Standardise([0.0] * spec.shape[0], [1 / largest] * spec.shape[0])
        parts, scale = _placed(list(found.parts), spec, mean, std)
        taken = built(*named(parts, title), spec, scale)
    else:
        taken = _best([built(*named(found.parts, title), spec, scale) for scale in scales], data)
        own = taken.trained.standardise
    difference = check_answers(graph, found.gives, taken.trained, None if graph.takes_bytes else own)
    return replace(taken, difference=difference)


def of_design(design: bytes, weights: bytes, data: Data, normalise: Normalise | None) -> Taken:
    """Take in a layer list with its weights as safetensors. Raises as ``bring``."""
    try:
        architecture = Architecture.model_validate(dict(read_design(design)))
        tensors = _floats(load(weights))
    except ValidationError as error:
        raise ForeignError(f"the design cannot be trained, so it has no weights: {first_error(error)}") from error
    except (SafetensorError, KeyError) as error:  # the latter of a type that torch lacks
        raise ForeignError(f"the weights are no safetensors file that can be read ({str(error)[:100]})") from error
    chosen = (normalise,) if normalise else NORMALISES
    taken = _best([built(architecture, tensors, data.spec, scale) for scale in chosen], data)
    if not taken.trained.logits(sampled(data.validation, GUESSED_BY)).isfinite().all():
        raise ForeignError("the network's answers are not finite: its weights are damaged, or no image has its scale")
    return taken


def _best(tried: Sequence[Taken], data: Data) -> Taken:
    """Return the network with the most right answers on validation images: a guess where there are several."""
    if len(tried) == 1:
        return tried[0]
    return replace(max(tried, key=lambda one: _right(one, data)), is_guessed=True)


def _floats(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights as 32-bit numbers. Raises ForeignError where some are of a type that cannot be them."""
    wrong = [name for name, given in tensors.items() if given.dtype not in _WEIGHTS and not _is_count(name)]
    if wrong:
        raise ForeignError(f"the weights {shown(wrong[0])} are of a type that is not known here: write float32")
    return {name: given if _is_count(name) else given.float() for name, given in tensors.items()}


def _is_count(name: str) -> bool:
    return name.endswith("num_batches_tracked")


def _pixels(scale: Scale, takes_bytes: bool) -> tuple[Tensor, Tensor, float]:
    """Return mean and spread of pixels in 0…1 that a file subtracts and divides by, and the largest pixel it takes."""
    if not (scale.factor > 0).all():
        raise ForeignError("the file turns light and dark of its pixels around: leave that out of it")
    largest = 255.0 if takes_bytes or float((1 / scale.factor).min()) > OF_BYTES else 1.0
    return -scale.offset / (scale.factor * largest), 1 / (scale.factor * largest), largest


def _placed(parts: list[Part], spec: DatasetSpec, mean: Tensor, std: Tensor) -> tuple[list[Part], Normalise]:
    """Find the scale of pixels among those that runs have; another one becomes a norm before the first layer."""
    for normalise in NORMALISES:
        ours = [torch.tensor(values) for values in scaling(spec, normalise)]
        if torch.allclose(ours[0], mean, atol=1e-5) and torch.allclose(ours[1], std, rtol=1e-5):
            return parts, normalise
    norm = affine(spec.shape, torch.ones_like(std), torch.zeros_like(std))
    tensors = {**norm.tensors, "weight": torch.ones_like(std), "running_mean": mean, "running_var": std**2 - EPS}
    if not (std**2 > EPS).all():
        raise ForeignError("the file spreads its pixels more than 300 times: scale them as usual, to about −2…2")
    return [Part(norm.layer, tensors), *parts], "unit"


def built(architecture: Architecture, tensors: Mapping[str, Tensor], spec: DatasetSpec, normalise: Normalise) -> Taken:
    """Build the network with its weights. Raises ForeignError where it is too large, or the weights do not fit."""
    classes = len(spec.classes)
    rows = summarise(architecture, spec.shape, classes)
    _check_cost(rows)
    with torch.device("meta"):
        forms = {name: own.shape for name, own in build(architecture, spec.shape, classes).state_dict().items()}
    counts = {name: torch.tensor(0) for name in forms if _is_count(name)}
    given = counts | dict(tensors)
    if {name: tensor.shape for name, tensor in given.items()} != forms:
        wrong = sorted(
            name for name in forms.keys() | given if name not in given or given[name].shape != forms.get(name)
        )
        raise ForeignError(
            f"the weights do not fit the layers: {wrong[0][:60]} is missing, left over or of another size"
        )
    if not all(tensor.isfinite().all() for tensor in given.values()):
        raise ForeignError("some weights are not finite: the network answers nothing")
    network = build(architecture, spec.shape, classes)
    network.load_state_dict({name: tensor.clone() for name, tensor in given.items()})
    trained = Trained(
        network=network.eval(),
        standardise=Standardise(*scaling(spec, normalise)),
        classes=spec.classes,
        shape=spec.shape,
        epoch=EPOCH,
        at_once=affordable_batch(rows),
    )
    return Taken(architecture, trained, normalise)


def _check_cost(rows: list[LayerSummary]) -> None:
    macs, activations = sum(row.macs for row in rows), sum(row.activation_bytes for row in rows)
    if macs > MAX_MACS or activations > MAX_ACTIVATIONS:
        raise ForeignError(
            f"the network takes {macs:,} multiply-accumulates and {activations / 1e6:,.0f} MB for one image, and "
            f"{MAX_MACS:,} and {MAX_ACTIVATIONS / 1e6:,.0f} MB are the most: choose a data set of smaller images"
        )


def _right(taken: Taken, data: Data) -> float:
    """Return the share of some validation images that a network names rightly."""
    trained = taken.trained
    return evaluate(
        trained.network, sampled(data.validation, GUESSED_BY), trained.standardise, trained.at_once
    ).accuracy
