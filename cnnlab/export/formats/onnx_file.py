"""ONNX: pixels in, probabilities out, with names, preparation and examples in its metadata."""

from __future__ import annotations

import json

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from cnnlab.export.answering import Answering
from cnnlab.export.formats.tracing import tracing, without_adaptive_max
from cnnlab.export.portable import Answer, ExportError, Portable

PIXELS, PROBABILITIES = "pixels", "probabilities"  # names of what goes in and comes out
METADATA = "cnnlab"  # the key of what the model is, as JSON


def write(portable: Portable) -> bytes:
    """Write the network for pixels (N, C, H, W) uint8, any N: probabilities (N, classes) float32.

    Raises ExportError where torch's exporter has no ONNX for one of its layers.
    """
    network = Answering(portable.trained.network, portable.trained.standardise)
    images = portable.examples.images[:2]
    model = _exported(without_adaptive_max(network, images), images)
    describe(model, portable)
    content: bytes = model.SerializeToString()
    return content


def opened(content: bytes) -> Answer:
    """Open the file in ONNX Runtime; it answers (N, C, H, W) uint8 with (N, classes)."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # PyTorch's threads want the cores, too
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def answer(images: Tensor) -> Tensor:
        (probabilities,) = session.run([PROBABILITIES], {PIXELS: images.numpy()})
        return torch.from_numpy(np.asarray(probabilities))

    return answer


def describe(model: onnx.ModelProto, portable: Portable) -> None:
    """Write into the metadata what the model is, how its input is prepared, and examples with their answers."""
    onnx.helper.set_model_props(model, {METADATA: json.dumps(portable.description())})
    model.producer_name, model.doc_string = "CNN Lab", portable.title


def _exported(network: nn.Module, images: Tensor) -> onnx.ModelProto:
    with tracing():
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
