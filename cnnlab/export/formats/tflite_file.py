"""TensorFlow Lite, now LiteRT: for phones and small machines; written by litert-torch where that is installed."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import torch
from torch import Tensor

from cnnlab.export.answering import Answering
from cnnlab.export.formats.tracing import tracing, without_adaptive_max
from cnnlab.export.portable import Answer, ExportError, NotOpenedError, Portable

PACKAGE = "litert_torch"
LABELS, DESCRIPTION = "labels.txt", "cnnlab.json"  # files at the file's end, which is a ZIP archive, as readers expect


def write(portable: Portable) -> bytes:
    """Write the network for one image (1, C, H, W) uint8 at a time: probabilities (1, classes) float32.

    Raises ExportError where the converter is not installed or refuses the network.
    """
    if find_spec(PACKAGE) is None:
        raise ExportError("it needs a package of about 1 GB: pip install litert-torch")
    image = portable.examples.images[:1]
    network = without_adaptive_max(Answering(portable.trained.network, portable.trained.standardise), image)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "network.tflite"
        _convert(network, image, path)
        with ZipFile(path, "a") as archive:
            archive.writestr(LABELS, "\n".join(" ".join(name.split()) for name in portable.trained.classes))
            archive.writestr(DESCRIPTION, json.dumps(portable.description()))
        return path.read_bytes()


def _convert(network: torch.nn.Module, image: Tensor, path: Path) -> None:
    os.environ.setdefault("LITERT_TORCH_SHOW_PROGRESS", "n")
    with tracing():
        import litert_torch  # noqa: PLC0415 - optional, and takes seconds

        try:
            litert_torch.convert(network.eval(), (image,)).export(str(path))
        except (RuntimeError, ValueError, NotImplementedError) as error:
            raise ExportError(f"TensorFlow Lite has no such layer: {str(error).split(chr(10))[0][:200]}") from error


def opened(content: bytes) -> Answer:
    """Open the file in LiteRT; it answers (N, C, H, W) uint8 with (N, classes), one image after the other.

    Raises NotOpenedError where that is not installed.
    """
    if find_spec("ai_edge_litert") is None:
        raise NotOpenedError("LiteRT is not installed")
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - optional

    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    (given,), (found,) = interpreter.get_input_details(), interpreter.get_output_details()

    def answer(images: Tensor) -> Tensor:
        return torch.cat([one(image[None]) for image in images])

    def one(image: Tensor) -> Tensor:
        interpreter.set_tensor(given["index"], image.numpy())
        interpreter.invoke()
        return torch.from_numpy(interpreter.get_tensor(found["index"]))

    return answer
