"""ONNX: pixels in, probabilities out, with names, preparation and examples in its metadata."""

from __future__ import annotations

import copy
import json
import logging
import warnings
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from cnnlab.export.answering import Answering
from cnnlab.export.portable import Answer, ExportError, Portable

PIXELS, PROBABILITIES = "pixels", "probabilities"  # names of what goes in and comes out
METADATA = "cnnlab"  # the key of what the model is, as JSON

_exporter = Lock()  # its tracing changes what is global in torch


def write(portable: Portable) -> bytes:
    """Write the network for pixels (N, C, H, W) uint8, any N: probabilities (N, classes) float32.

    Raises ExportError where torch's exporter has no ONNX for one of its layers.
    """
    network = Answering(portable.trained.network, portable.trained.standardise)
    images = portable.examples.images[:2]
    model = _exported(_without_adaptive_max(network, images), images)
    describe(model, portable)
    content: bytes = model.SerializeToString()
    return content


def opened(content: bytes) -> Answer:
    """Open the file in ONNX Runtime; it answers (N, C, H, W) uint8 with (N, classes)."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def answer(images: Tensor) -> Tensor:
        (probabilities,) = session.run([PROBABILITIES], {PIXELS: images.numpy()})
        return torch.from_numpy(np.asarray(probabilities))

    return answer


def describe(model: onnx.ModelProto, portable: Portable) -> None:
    """Write into the metadata what the model is, how its input is prepared, and examples with their answers."""
    onnx.helper.set_model_props(model, {METADATA: json.dumps(_described(portable))})
    model.producer_name, model.doc_string = "CNN Lab", portable.title


def _described(portable: Portable) -> dict[str, object]:
    """Describe a network as those need it who prepare its input and read its output."""
    examples = portable.examples
    return {
        "title": portable.title,
        "run": portable.run,
        "epoch": portable.trained.epoch,
        "classes": portable.trained.classes,
        "shape": portable.trained.shape,  # (C, H, W)
        "input": "uint8, 0 to 255; scaling is inside",
        "output": "probabilities; softmax is inside",
        "preparation": portable.preparation,
        "examples": {
            "images": b64encode(examples.images.numpy().tobytes()).decode(),  # (N, C, H, W) uint8
            "labels": examples.labels.tolist(),
            "probabilities": examples.probabilities.tolist(),
        },
    }


class _SlicedMax(nn.Module):
    """Adaptive max pooling by slices, first of rows, then of columns: torch's exporter knows no other way."""

    def __init__(self, before: torch.Size, after: torch.Size) -> None:
        super().__init__()
        self.before, self.after = before, after  # (N, C, H, W)

    def forward(self, maps: Tensor) -> Tensor:
        for axis, length, count in zip((2, 3), self.before[2:], self.after[2:], strict=True):
            edges = [(length * at // count, -(-length * (at + 1) // count)) for at in range(count)]
            maps = torch.cat([maps.narrow(axis, a, b - a).amax(axis, keepdim=True) for a, b in edges], axis)
        return maps


def _without_adaptive_max(network: nn.Module, images: Tensor) -> nn.Module:
    """Copy the network with slices in place of adaptive max pooling, for the sizes that ``images`` lead to."""
    copied = copy.deepcopy(network).eval()
    found = {name: module for name, module in copied.named_modules() if isinstance(module, nn.AdaptiveMaxPool2d)}
    sizes: dict[nn.Module, tuple[torch.Size, torch.Size]] = {}
    for module in found.values():
        module.register_forward_hook(lambda module, given, maps: sizes.update({module: (given[0].shape, maps.shape)}))
    with torch.inference_mode():
        copied(images)
    for name, module in found.items():
        copied.set_submodule(name, _SlicedMax(*sizes[module]))
    return copied


def _exported(network: nn.Module, images: Tensor) -> onnx.ModelProto:
    with _exporter, _hushed():
        try:
            program = torch.onnx.export(
                network,
                (images,),
                dynamo=True,
                dynamic_shapes=({0: torch.export.Dim("images", min=1)},),
                input_names=[PIXELS],
                output_names=[PROBABILITIES],
                verbose=False,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            raise ExportError(f"ONNX has no such layer: {_reason(error)}") from error
    assert program
    model: onnx.ModelProto = program.model_proto
    return model


def _reason(error: BaseException) -> str:
    """Return the innermost reason in one line: the exporter's own message is a page."""
    while error.__cause__:
        error = error.__cause__
    return " ".join(str(error).split())[:200]


@contextmanager
def _hushed() -> Iterator[None]:
    """Silence the exporter, which warns of its own insides."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logger.setLevel(level)
