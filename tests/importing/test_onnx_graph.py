"""Files that are damaged or mean harm: each is refused with a sentence, and nothing of it is run."""

from __future__ import annotations

import io
import pickle
import zipfile
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from cnnlab.importing.foreign_file import ForeignError, kind_of
from cnnlab.importing.layer_list import layers_of
from cnnlab.importing.onnx_graph import MAX_NODES, parsed
from cnnlab.importing.probing import MAX_CUTS
from tests.importing.files import assembled

node = helper.make_node
ENDING = [node("Flatten", ["a"], ["f"]), node("Gemm", ["f", "m"], ["y"])]
WEIGHTS: dict[str, Any] = {"m": np.ones((8, 3), np.float32)}


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02.")
    return file.getvalue()


def saved() -> bytes:
    file = io.BytesIO()
    torch.save({"weight": torch.ones(2)}, file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (pickle.dumps([1]), "pickle"),
        (zipped(), "ZIP archive"),
        (saved(), "ZIP archive"),
        (b"\x89HDF\r\n\x1a\n" + bytes(64), "HDF5"),
    ],
)
def test_what_could_run_code_is_refused_by_its_content(content: bytes, told: str) -> None:
    with pytest.raises(ForeignError, match=told) as error:
        kind_of(content)
    assert "can run code" in str(error.value)
    assert "torch.onnx.export" in str(error.value)


def test_kinds_are_told_by_their_content() -> None:
    assert kind_of(assembled([node("Relu", ["x"], ["a"]), *ENDING], WEIGHTS, ["N", 2, 2, 2])) == "onnx"
    assert kind_of(b'\xef\xbb\xbf{"name": "x"}') == "design"
    assert kind_of('{"name": "x"}'.encode("utf-16")) == "design"
    for length in (2, 0x0280, 0x4B50):  # the latter two as bytes that pickles and ZIP archives begin with
        assert kind_of(length.to_bytes(8, "little") + b"{}".ljust(length)) == "safetensors"
    with pytest.raises(ForeignError, match="empty"):
        kind_of(b"")


def test_a_small_file_that_grows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.importing.onnx_graph.MAX_BYTES", 500)
    kinds = [TensorProto.DOUBLE, TensorProto.FLOAT] * 10
    casts = [node("Cast", [f"c{at}"], [f"c{at + 1}"], to=kind) for at, kind in enumerate(kinds)]
    added = node("Add", ["x", f"c{len(kinds)}"], ["a"])
    told = told_of(assembled([*casts, added, *ENDING], WEIGHTS | {"c0": np.ones(8, np.float32)}, ["N", 2, 2, 2]))
    assert "rearranges more numbers than a file may hold" in told
    joined = node("Concat", ["x"] * 20_001, ["a"], axis=1)
    assert "20,000 are the most" in told_of(assembled([joined, *ENDING], WEIGHTS, ["N", 2, 2, 2]))


def test_what_is_computed_to_know_a_node_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = WEIGHTS | {"many": np.zeros(30_000, np.int64), "0": np.array([0]), "1": np.array([1])}
    spread = [node("Gather", ["x", "many"], ["b"], axis=2), node("Gather", ["b", "many"], ["c"], axis=3)]  # 14 GB
    cut = node("Slice", ["c", "0", "1"], ["a"])
    assert "no pool here" in told_of(assembled([*spread, cut, *ENDING], weights, ["N", 2, 2, 2]))
    monkeypatch.setattr("cnnlab.importing.probing.answered", lambda *given: pytest.fail("one cut after another"))
    slices = [node("Slice", [f"s{at}", "0", "1"], [f"s{at + 1}"]) for at in range(MAX_CUTS)]
    whole = [node("Identity", ["x"], ["s0"]), *slices, node("Slice", [f"s{MAX_CUTS}", "0", "1"], ["a"])]
    assert "no pool here" in told_of(assembled([*whole, *ENDING], weights, ["N", 2, 2, 2]))


def told_of(content: bytes) -> str:
    with pytest.raises(ForeignError) as error:
        layers_of(parsed(content), (2, 2, 2), 3)
    return str(error.value)


def whole() -> bytes:
    return assembled([node("Relu", ["x"], ["a"]), *ENDING], WEIGHTS, ["N", 2, 2, 2])


def changed(change: Any) -> bytes:
    model = onnx.load_model_from_string(whole())
    change(model)
    content: bytes = model.SerializeToString()
    return content


def test_a_whole_file_is_taken() -> None:
    assert len(layers_of(parsed(whole()), (2, 2, 2), 3).parts) == 3


def test_no_beginning_of_a_file_does_harm() -> None:
    content = whole()
    for end in range(1, len(content) - 10, 3):  # the last ones only tell ONNX's version
        assert told_of(content[:end])


def test_damaged_bytes_do_no_harm() -> None:
    content, draws = whole(), np.random.default_rng(0)
    for _ in range(300):
        spoiled = bytearray(content)
        for at in draws.integers(0, len(content), 3):
            spoiled[at] = draws.integers(0, 256)
        try:
            layers_of(parsed(bytes(spoiled)), (2, 2, 2), 3)
        except ForeignError:
            continue


def outside(model: onnx.ModelProto) -> None:
    weights = model.graph.initializer[0]
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="/etc/passwd")


def huge(model: onnx.ModelProto) -> None:
    del model.graph.initializer[0].dims[:]
    model.graph.initializer[0].dims.extend([2**40, 3])


def hollow(model: onnx.ModelProto) -> None:
    huge(model)
    model.graph.initializer[0].raw_data = b""


def circle(model: onnx.ModelProto) -> None:
    model.graph.node[0].input[0] = "f"


def long(model: onnx.ModelProto) -> None:
    model.graph.node.extend(node("Relu", ["a"], [f"a{number}"]) for number in range(MAX_NODES))


def unknown(model: onnx.ModelProto) -> None:
    model.graph.node[0].op_type = "NonMaxSuppression"


def foreign(model: onnx.ModelProto) -> None:
    model.graph.node[0].domain = "com.stranger"


def branching(model: onnx.ModelProto) -> None:
    model.graph.node[0].op_type = "If"


def two(model: onnx.ModelProto) -> None:
    model.graph.input.add().CopyFrom(model.graph.input[0])
    model.graph.input[1].name = "z"


def quantised(model: onnx.ModelProto) -> None:
    model.graph.node[0].op_type = "DequantizeLinear"


def renamed(model: onnx.ModelProto) -> None:
    model.graph.node[0].op_type = "Relu\n" + "long" * 1000


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (outside, "lie in another file"),
        (huge, "not the length that they say"),
        (hollow, "damaged"),
        (circle, "not there yet"),
        (long, "nodes"),
        (unknown, "NonMaxSuppression"),
        (foreign, "com.stranger"),
        (branching, "'If'"),
        (two, "2 inputs"),
        (quantised, "8-bit"),
        (renamed, "none of the layers here"),
    ],
)
def test_what_is_unsafe_or_unknown_is_refused(change: Any, told: str) -> None:
    message = told_of(changed(change))
    assert told in message
    assert len(message) < 500


def test_sizes_that_grow_are_refused() -> None:
    growing = [node("Shape", ["x"], ["s0"])]
    growing += [node("Concat", [f"s{at}"] * 2, [f"s{at + 1}"], axis=0) for at in range(40)]
    content = assembled([*growing, node("Reshape", ["x", "s40"], ["a"]), *ENDING], WEIGHTS, ["N", 2, 2, 2])
    assert "numbers beside the image" in told_of(content)


def test_sizes_that_depend_on_the_image_are_refused() -> None:
    nodes = [node("Cast", ["x"], ["to"], to=TensorProto.INT64), node("Reshape", ["x", "to"], ["a"])]
    assert "depend on the image" in told_of(assembled([*nodes, *ENDING], WEIGHTS, ["N", 2, 2, 2]))


def test_counting_far_is_refused() -> None:
    nodes = [
        node("Range", ["zero", "far", "one"], ["places"]),
        node("Flatten", ["x"], ["row"]),
        node("Gather", ["row", "places"], ["a"], axis=1),
    ]
    counts = {"zero": np.int64(0), "far": np.int64(10**12), "one": np.int64(1)}
    assert "counts further" in told_of(assembled([*nodes, *ENDING], WEIGHTS | counts, ["N", 2, 2, 2]))


def test_blocks_within_blocks_without_end_are_refused() -> None:
    nodes, last = [], "x"
    for number in range(300):
        nodes += [node("Sigmoid", [last], [f"s{number}"]), node("Concat", [f"s{number}", "x"], [f"c{number}"], axis=1)]
        last = f"c{number}"
    nodes.append(node("GlobalAveragePool", [last], ["a"]))
    message = told_of(assembled([*nodes, *ENDING], WEIGHTS, ["N", 2, 2, 2]))
    assert "nested" in message or "block" in message
