"""Run folders with spoilt files: torn, foreign, lying about their lengths, of wrong shapes and types."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from cnnlab.runs.run import Run
from cnnlab.runs.trained import load_trained
from tests.faults.bad_configs import BAD, OTHERS
from tests.faults.ground import Case, Ground, command

Spoil = Callable[[Path], object]
Door = Callable[[Path], Callable[[], object]]
LARGE = 3_000_000_000  # bytes, of a file without content

SUMMARY: dict[str, st.SearchStrategy[Any]] = {
    "id": st.sampled_from(["", "../..", 5, None, "a\nb"]),
    "created": st.sampled_from(["yesterday", -1e300, None, [], "2026-13-01T00:00:00Z"]),
    "status": OTHERS | st.integers(),
    "classes": st.sampled_from([[], "0123456789", [1], ["0"], {"a": 1}, [str(name) for name in range(11)]]),
    "shape": st.lists(st.integers(-(10**6), 10**6).filter(lambda side: side not in (1, 28)), max_size=5)
    | st.just([1, 10**5, 10**5]),
    "mean": st.sampled_from([[], [0.1, 0.2], ["x"], None, 0.5]),
    "std": st.sampled_from([[], [0.0], [-1], [1, 1], None, [1e400]]),
    "threads": st.integers(max_value=-1) | st.integers(min_value=2000),
    "epoch": st.integers(max_value=-1) | st.integers(min_value=3),
    "test_accuracy": st.sampled_from([-1, 2, "high", [], 1e300]),
    "per_class": st.sampled_from([{"a": 1}, [], {"0": "x"}, {"0": 2}]),
    "extensions": st.sampled_from([1, [1], [{}], [{"after": -1, "epochs": 1, "learning_rate": 1}]]),
}
PROGRESS: dict[str, st.SearchStrategy[Any]] = {
    "epoch": st.integers(max_value=0) | st.integers(min_value=3),
    "step": st.integers(max_value=0) | st.integers(min_value=100),
    "seconds": st.sampled_from([-1, "x", None]),
    "changes": st.sampled_from([1, [1], [[0, 0.1]], [[1, -0.1]], [[1, "x"]], [[1]]]),
    "rates": st.sampled_from([1, ["x"], None]),
    "scaler": st.sampled_from([1, {"scale": "x"}, None]),
    "history": st.sampled_from([1, [1], None]),
    "foreign": st.integers(),
}


def cases(ground: Ground) -> st.SearchStrategy[Case]:
    doors: dict[str, Door] = {
        "evaluate": lambda folder: command("evaluate", folder),
        "open": lambda folder: lambda: load_trained(Run(folder)),
        "predict": lambda folder: command("predict", folder, ground.file("a.png", PNG)),
    }
    files, names = st.sampled_from(["config.json", "summary.json"]), st.sampled_from(sorted(doors))
    weights = "weights/epoch-002.safetensors"
    return st.one_of(
        st.builds(lambda name, door, how: _case(ground, name, how, doors[door]), files, names, ANYHOW),
        st.builds(lambda door, how: _case(ground, "summary.json", how, doors[door]), names, changes(SUMMARY)),
        st.builds(lambda door, how: _case(ground, "config.json", how, doors[door]), names, changes(_FIELDS)),
        st.builds(lambda door, how: _case(ground, weights, how, doors[door]), names, ANYHOW | TENSORS),
        st.builds(lambda how: _case(ground, "checkpoint.safetensors", how, _resumed), CHECKPOINT),
        st.builds(lambda how: _case(ground, weights, how, _resumed), ANYHOW | TENSORS),
    )


def _resumed(folder: Path) -> Callable[[], object]:
    return command("resume", folder, "--epochs", 1)


def _case(ground: Ground, name: str, how: tuple[str, Spoil], door: Door) -> Case:
    folder = ground.copy()
    told, spoil = how
    spoil(folder / name)
    enter = door(folder)
    return Case(f"run: {name} {told}", enter)


def _in_place(make: Callable[[bytes], bytes]) -> Spoil:
    return lambda path: path.write_bytes(make(path.read_bytes()))


def _instead(make: Callable[[Path], object]) -> Spoil:
    def spoil(path: Path) -> None:
        path.unlink()
        make(path)

    return spoil


def _sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, LARGE)


def header(length: int, text: bytes = b"{}") -> bytes:
    """A safetensors file that says its header has ``length`` bytes."""
    return struct.pack("<Q", length) + text


def _tensor_header(shape: list[int], end: int, dtype: str = "F32") -> bytes:
    text = json.dumps({"a": {"dtype": dtype, "shape": shape, "data_offsets": [0, end]}}).encode()
    return header(len(text), text)


PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 30


def cut(most: float) -> st.SearchStrategy[tuple[str, Spoil]]:
    return st.floats(0.05, most).map(
        lambda share: (f"cut at {share:.0%}", _in_place(lambda old: old[: int(share * len(old))]))
    )


FOREIGN: st.SearchStrategy[tuple[str, Spoil]] = st.one_of(
    st.binary(min_size=9, max_size=2000).map(lambda junk: ("random bytes", _in_place(lambda _: junk))),
    st.integers(1000, 200_000).map(lambda depth: (f"{depth} deep", _in_place(lambda _: b"[" * depth))),
    st.integers(1, 50).map(lambda n: ("behind other bytes", _in_place(lambda old: b"\xff" * n + old))),
    st.sampled_from(
        [
            ("a picture", _in_place(lambda _: PNG)),
            ("a folder", _instead(Path.mkdir)),
            ("a link to zeros", _instead(lambda path: path.symlink_to("/dev/zero"))),
            ("a link to passwords", _instead(lambda path: path.symlink_to("/etc/passwd"))),
            ("a pipe", _instead(os.mkfifo)),
            ("3 GB", _instead(_sparse)),
        ]
    ),
)


ANYHOW = (
    cut(0.99)
    | FOREIGN
    | st.sampled_from(
        [
            ("missing", Path.unlink),
            ("empty", _in_place(lambda _: b"")),
            ("a link to nothing", _instead(lambda path: path.symlink_to("nowhere"))),
        ]
    )
)


def _rewritten(make: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> Spoil:
    def spoil(path: Path) -> None:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
        save_file(make(load_file(path)), path, metadata)

    return spoil


_DTYPES = [torch.float16, torch.float64, torch.int8, torch.complex64, torch.float8_e4m3fn, torch.bool]
TENSORS: st.SearchStrategy[tuple[str, Spoil]] = st.one_of(
    st.integers(2**31, 2**64 - 1).map(lambda n: (f"with a header of {n} bytes", _in_place(lambda _: header(n)))),
    st.integers(100, 10**6).map(lambda n: ("with a header beyond its end", _in_place(lambda _: header(n)))),
    st.builds(
        lambda shape, end: ("of a tensor that is not there", _in_place(lambda _: _tensor_header(shape, end))),
        st.lists(st.integers(1, 2**62), max_size=5),
        st.integers(1, 2**62),
    ),
    st.sampled_from(_DTYPES).map(
        lambda kind: (f"as {kind}", _rewritten(lambda old: {name: one.to(kind) for name, one in old.items()}))
    ),
    st.lists(st.integers(0, 30), max_size=6).map(
        lambda shape: (f"of shape {shape}", _rewritten(lambda old: {name: torch.zeros(shape) for name in old}))
    ),
    st.sampled_from([float("nan"), float("inf")]).map(
        lambda value: (f"all {value}", _rewritten(lambda old: {name: one.float() * value for name, one in old.items()}))
    ),
    st.integers(0, 3).map(lambda n: ("less some", _rewritten(lambda old: dict(list(old.items())[:n])))),
    st.text("abc.", min_size=1).map(
        lambda more: ("under other names", _rewritten(lambda old: {f"{more}{name}": one for name, one in old.items()}))
    ),
)


def changes(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[tuple[str, Spoil]]:
    pairs = st.sampled_from(sorted(fields)).flatmap(lambda name: st.tuples(st.just(name), fields[name]))
    return pairs.map(lambda pair: (f"{pair[0]} = {pair[1]!r:.80}", _in_place(lambda old: changed(old, *pair))))


def changed(content: bytes, name: str, value: object) -> bytes:
    return json.dumps(json.loads(content) | {name: value}).encode()


_FIELDS = {name: BAD[name] for name in ("epochs", "batch_size", "learning_rate", "optimizer", "seed", "architecture")}


def _progress() -> st.SearchStrategy[tuple[str, Spoil]]:
    pairs = st.sampled_from(sorted(PROGRESS)).flatmap(lambda name: st.tuples(st.just(name), PROGRESS[name]))
    return pairs.map(lambda pair: (f"{pair[0]} = {pair[1]!r:.80}", lambda path: _with_progress(path, *pair)))


def _with_progress(path: Path, name: str, value: object) -> None:
    with safe_open(path, framework="pt") as file:
        progress = file.metadata()["progress"]
    save_file(load_file(path), path, {"progress": changed(progress.encode(), name, value).decode()})


# One that is missing is none: the training is taken again from its beginning.
CHECKPOINT = cut(0.99) | FOREIGN | TENSORS | _progress()
