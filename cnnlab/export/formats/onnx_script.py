"""A Python file that needs ONNX Runtime alone, and what comes with it."""

from __future__ import annotations

from cnnlab.export.formats import onnx_file
from cnnlab.export.formats.script import opened, script
from cnnlab.export.portable import Portable

__all__ = ["opened", "write"]

_ANSWERING = '''
# The network


@cache
def _session() -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(_unpacked(MODEL), providers=["CPUExecutionProvider"])


def probabilities(pixels: bytes) -> list[list[float]]:
    """Answer images one after another, CHANNELS × HEIGHT × WIDTH bytes each: a probability for each class."""
    images = np.frombuffer(pixels, np.uint8).reshape(-1, CHANNELS, HEIGHT, WIDTH)
    return _session().run(None, {"pixels": images})[0].tolist()
'''


def write(portable: Portable) -> bytes:
    """Write the network of ``onnx_file`` with all that prepares a picture. Raises ExportError as that does."""
    return script(
        portable,
        package="onnxruntime",
        imports=["from functools import cache", "import numpy as np", "import onnxruntime"],
        answering=_ANSWERING,
        packed={"MODEL": onnx_file.write(portable)},
        tolerance=1e-4,
    )
