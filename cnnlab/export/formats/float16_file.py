"""ONNX with weights of 16 bits: half the size, for processors that compute with them; others convert as they run it."""

from __future__ import annotations

import onnx
from onnxruntime.transformers.float16 import convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel

from cnnlab.export.formats import onnx_file
from cnnlab.export.portable import Portable

opened = onnx_file.opened

# The scaling of pixels and softmax stay in 32 bits: there 16 cost accuracy and save nothing.
KEPT = ["Cast", "Softmax", "Resize"]


def write(portable: Portable) -> bytes:
    """Write the network of ``onnx_file`` with its layers in 16 bits; pixels and probabilities are as there.

    Raises ExportError as that does.
    """
    whole = onnx.load_from_string(onnx_file.write(portable))
    model = convert_float_to_float16(whole, keep_io_types=True, op_block_list=KEPT, disable_shape_infer=True)
    OnnxModel(model).topological_sort()  # what it converts between stands at the end
    onnx_file.describe(model, portable)
    content: bytes = model.SerializeToString()
    return content
