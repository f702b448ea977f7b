"""Networks as ONNX files: exported by torch, or put together node by node as older exporters write them."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

import cnnlab.data.torchvision_compat  # noqa: F401 - torchvision loads only behind it
from cnnlab.importing.checking import compared
from cnnlab.importing.layer_list import Found, layers_of, named
from cnnlab.importing.onnx_graph import parsed
from cnnlab.importing.probing import answered
from cnnlab.networks.build import build
from cnnlab.networks.layers import Shape
from tests.networks.random_weights import shake

models = import_module("torchvision.models")


def exported(network: nn.Module, shape: Shape, batch: int | None = None) -> bytes:
    """Write a network as torch's exporter does, for any number of images or a fixed one."""
    sizes = None if batch else ({0: torch.export.Dim("images", min=1)},)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(action="ignore"):
        images = (torch.rand(batch or 2, *shape),)
        program = torch.onnx.export(network.eval(), images, dynamo=True, dynamic_shapes=sizes, verbose=False)
    assert program
    content: bytes = program.model_proto.SerializeToString()
    return content


def shaken(network: nn.Module) -> nn.Module:
    shake(network)
    return network


def assembled(nodes: Sequence[onnx.NodeProto], weights: dict[str, Any], shape: Sequence[Any], opset: int = 13) -> bytes:
    """Write nodes from "x" to "y"."""
    graph = helper.make_graph(
        nodes,
        "assembled",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def taken(content: bytes, shape: Shape, classes: int) -> Found:
    """Take a file in and see that the network of its layers answers as it does."""
    graph = parsed(content)
    found = layers_of(graph, shape, classes)
    architecture, weights = named(found.parts, "Taken in")
    network = build(architecture, shape, classes).eval()
    network.load_state_dict(weights)
    draws = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (graph.shape[0] or 2, *shape), dtype=torch.uint8, generator=draws)
    given: Tensor = images if graph.takes_bytes else images / 255
    theirs = torch.from_numpy(answered(graph.model, {graph.given: given.numpy()})).flatten(1)
    inputs = given.float()
    if found.scale:
        inputs = inputs * found.scale.factor.view(-1, 1, 1) + found.scale.offset.view(-1, 1, 1)
    with torch.inference_mode():
        logits = network(inputs)
    after = {"logits": logits, "probabilities": logits.softmax(1), "log-probabilities": logits.log_softmax(1)}
    compared(after[found.gives], theirs, "images")
    return found
