"""Nodes that are known by what they do: run alone on random maps, and compared with a pool of ours."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper

from cnnlab.importing.onnx_graph import Graph, Numbers
from cnnlab.importing.structure import Region
from cnnlab.networks.build import layer_module
from cnnlab.networks.layers import AdaptivePool2d, Shape

_STATES = vars(onnxruntime.capi.onnxruntime_pybind11_state).values()
FAILURES: tuple[type[Exception], ...] = (  # of ONNX Runtime
    RuntimeError,
    ValueError,
    *(state for state in _STATES if isinstance(state, type) and issubclass(state, Exception)),
)
CLOSE = 1e-5
MAX_CUTS = 100  # that are tried one by one; a pool that is written out has a handful
MAX_MEMORY = 2_000_000_000  # bytes of what a file computes: a small one may say that it is far more


def pools_of(graph: Graph, region: Region, shape: Shape) -> list[AdaptivePool2d] | None:
    """Return the adaptive pools that a region is on maps of ``shape``, none where it keeps them; None for all else."""
    pools: list[AdaptivePool2d] = []
    begin, *cuts = region.cuts
    if len(cuts) > MAX_CUTS:
        return None
    while cuts:
        tried = ((cut, _pools(graph, begin, cut, shape)) for cut in reversed(cuts))
        found = next(((cut, made) for cut, made in tried if made is not None), None)
        if found is None:
            return None
        begin, made = found
        pools += made
        shape = made[0].output_shape(shape, 0) if made else shape
        cuts = cuts[cuts.index(begin) + 1 :]
    return pools


def _pools(graph: Graph, begin: str, end: str, shape: Shape) -> list[AdaptivePool2d] | None:
    """Return the pool between two tensors, none where both are equal; None where it is no pool."""
    maps = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    images = np.zeros((2, *(side or 1 for side in graph.shape[1:])), np.uint8 if graph.takes_bytes else np.float32)
    part = part_of(graph, begin, end, shape)
    try:
        made = torch.from_numpy(answered(part, {begin: maps.numpy(), graph.given: images}))
    except FAILURES:
        return None
    if made.shape == maps.shape and torch.equal(made, maps):
        return []
    if made.dim() != 4 or made.shape[:2] != maps.shape[:2] or max(made.shape[2:]) > 64:
        return None
    for kind in ("avg", "max"):
        pool = AdaptivePool2d.model_validate({"pool": kind, "output_size": tuple(made.shape[2:])})
        if torch.allclose(layer_module(pool, shape, 0)(maps), made, atol=CLOSE):
            return [pool]
    return None


def part_of(graph: Graph, begin: str, end: str, shape: Shape) -> onnx.ModelProto:
    """Return the nodes from one tensor to another, ``shape`` without its batch, as a network of their own."""
    original = {node.output[0]: node for node in graph.model.graph.node}
    chosen, weights, left = set[str](), set[str](), [end]
    while left:
        name = left.pop()
        if name in graph.raw:
            weights.add(name)
        elif name in original and name != begin and name not in chosen:
            chosen.add(name)
            left += [each for each in original[name].input if each]
    if begin == graph.given:
        inputs = [next(value for value in graph.model.graph.input if value.name == begin)]
    else:
        inputs = [helper.make_tensor_value_info(begin, TensorProto.FLOAT, ["N", *shape])]
        inputs += [value for value in graph.model.graph.input if value.name == graph.given]
    made = helper.make_graph(
        [node for name, node in original.items() if name in chosen],
        "part",
        inputs,
        [helper.make_tensor_value_info(end, TensorProto.FLOAT, None)],
        [graph.raw[name] for name in sorted(weights)],
    )
    return helper.make_model(made, opset_imports=graph.model.opset_import, ir_version=graph.model.ir_version)


def answered(model: onnx.ModelProto, given: Mapping[str, Numbers]) -> Numbers:
    """Run a network in ONNX Runtime, without its optimiser, and return its only answer."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # fatal ones: others are raised
    _bound_memory()
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
    returning = onnxruntime.RunOptions()
    returning.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    (answer,) = session.run(None, dict(given), returning)
    return np.asarray(answer)


@cache
def _bound_memory() -> None:
    """Have ONNX Runtime refuse what takes more, in sessions that ask for the allocators of its environment."""
    bounds = onnxruntime.OrtArenaCfg(
        {
            "max_mem": MAX_MEMORY,
            "arena_extend_strategy": 1,  # by as much as is asked for
            "initial_chunk_size_bytes": -1,
            "max_dead_bytes_per_chunk": -1,
        }
    )
    kind = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    onnxruntime.create_and_register_allocator(
        onnxruntime.OrtMemoryInfo("Cpu", kind, 0, onnxruntime.OrtMemType.DEFAULT), bounds
    )
