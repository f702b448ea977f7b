"""Configs that cannot run: fields of a wrong kind or beyond their bounds, networks that cannot be or fit."""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from functools import partial
from typing import Any, get_args

from hypothesis import strategies as st

from cnnlab.data.datasets import DATASETS
from cnnlab.training.config import RunConfig
from tests.faults.ground import SHORT, Case, Ground, command, training

Values = st.SearchStrategy[Any]

HUGE = st.sampled_from([10**20, -(10**20), 10**400, 2**64, -(2**63)])
NONSENSE = st.sampled_from([[], {}, [1, 2], {"a": 1}, "", "many", "\0", float("nan"), float("inf"), -float("inf")])
WORDS = st.text(min_size=1, max_size=300).filter(lambda text: not text.strip().startswith("-"))


def _beyond(low: float, high: float) -> Values:
    """Numbers that are none of ``low``…``high``, and what is no number."""
    return st.one_of(
        st.integers(max_value=int(low) - 1),
        st.integers(min_value=int(high) + 1),
        st.floats(max_value=low, exclude_max=True) | st.floats(min_value=high, exclude_min=True),
        HUGE,
        NONSENSE,
    )


def _other(name: str) -> Values:
    """What is none of a field's choices; Hypothesis tries words that it finds in the code, too."""
    choices = get_args(RunConfig.model_fields[name].annotation)
    return WORDS.filter(lambda text: text not in choices) | NONSENSE | st.integers()


BAD: dict[str, Values] = {
    "dataset": WORDS.filter(lambda text: text not in DATASETS) | NONSENSE,
    "epochs": _beyond(1, 1000) | st.just(1.5),
    "batch_size": _beyond(1, 10_000) | st.just(None),
    "micro_batch": _beyond(0, 10_000) | st.just(None),
    "optimizer": _other("optimizer"),
    "learning_rate": _beyond(0, 10) | st.just(0),
    "momentum": _beyond(0, 1) | st.just(1),
    "nesterov": st.integers(min_value=2) | st.floats(min_value=0.1, max_value=0.9) | NONSENSE,
    "schedule": _other("schedule"),
    "step_epochs": _beyond(1, 1000),
    "step_factor": _beyond(0, 1) | st.just(0),
    "warmup_epochs": _beyond(0, 1000),
    "weight_decay": _beyond(0, 1),
    "gradient_clipping": _beyond(0, 1000),
    "weight_average": _beyond(0, 1) | st.just(1),
    "label_smoothing": _beyond(0, 1) | st.just(1),
    "class_balance": _other("class_balance"),
    "augmentation": _other("augmentation"),
    "mixup": _beyond(0, 10),
    "cutmix": _beyond(0, 10),
    "normalise": _other("normalise"),
    "validation_fraction": _beyond(0.01, 0.5),
    "train_fraction": _beyond(0.01, 1),
    "early_stopping": _beyond(0, 1000),
    "device": _other("device") | st.just("mps"),
    "precision": _other("precision"),
    "seed": _beyond(0, 2**32),
    "split_seed": _beyond(0, 2**32),
    "parent": WORDS | NONSENSE | st.just("no-such-run@1"),
    "lessons": st.sampled_from([1, "none", [1], [{}], [[]], [{"strokes": [[[0, 0]]], "label": ""}], {"a": 1}]),
    "lesson_share": _beyond(0.01, 0.9),
    "architecture": WORDS | NONSENSE,
}
TYPED = sorted(BAD.keys() - {"architecture", "dataset", "device", "lessons", "nesterov", "parent"})

CONV, FLAT, LOGITS = (
    {"kind": "conv2d", "out_channels": 4},
    {"kind": "flatten"},
    {"kind": "linear", "out_features": "classes"},
)
Layers = list[Any]


def _nested(depth: int) -> Layers:
    layer: dict[str, Any] = {**CONV, "padding": 1}
    for _ in range(depth):
        layer = {"kind": "residual", "body": [layer]}
    return [layer, FLAT, LOGITS]


def _cyclic() -> Layers:
    body: Layers = []
    body.append({"kind": "residual", "body": body})
    return [*body, FLAT, LOGITS]


def _many(each: int) -> Layers:
    """So many residual blocks, in each of them so many, in each of them so many layers."""
    block: dict[str, Any] = {"kind": "activation"}
    for _ in range(3):
        block = {"kind": "residual", "body": [block] * each}
    return [*[block] * each, FLAT, LOGITS]


OTHERS = WORDS.map(lambda word: f"no {word}")
_NUMBER = _beyond(1, 65_536).filter(lambda number: number != [1, 2])  # a pair, which is a size
IMPOSSIBLE: st.SearchStrategy[Layers] = st.one_of(
    st.sampled_from([1, "conv2d", {}, [], [[]], [None], [{}], [FLAT], [LOGITS, FLAT], [CONV] * 300 + [FLAT, LOGITS]]),
    st.builds(lambda kind: [{"kind": kind}, FLAT, LOGITS], OTHERS | NONSENSE | st.integers()),
    st.builds(lambda name: [{"kind": "activation", name: 1}, FLAT, LOGITS], OTHERS),
    st.builds(lambda name: [{"kind": "activation", "function": name}, FLAT, LOGITS], OTHERS | NONSENSE),
    st.builds(
        lambda n, field: [{**CONV, field: n}, FLAT, LOGITS], _NUMBER, st.sampled_from(["out_channels", "groups"])
    ),
    st.builds(lambda n: [{**CONV, "kernel_size": n}, FLAT, LOGITS], _NUMBER | st.lists(_NUMBER, max_size=4)),
    st.builds(lambda n: [FLAT, {"kind": "linear", "out_features": n}, LOGITS], _NUMBER),
    st.builds(lambda p: [{"kind": "dropout", "p": p}, FLAT, LOGITS], _beyond(0, 1)),
    st.builds(_nested, st.integers(4, 3000)),
    st.builds(_many, st.integers(10, 20)),
    st.builds(_cyclic),
)
UNFIT: st.SearchStrategy[Layers] = st.one_of(
    st.builds(lambda kernel: [{**CONV, "kernel_size": kernel}, FLAT, LOGITS], st.integers(29, 64)),
    st.builds(lambda pools: [*[{"kind": "max-pool2d"}] * pools, FLAT, LOGITS], st.integers(5, 100)),
    st.builds(lambda groups: [{**CONV, "groups": groups}, FLAT, LOGITS], st.integers(2, 4096)),
    st.builds(
        lambda layer: [FLAT, layer, LOGITS], st.sampled_from([CONV, {"kind": "max-pool2d"}, {"kind": "batch-norm2d"}])
    ),
    st.builds(
        lambda body: [{"kind": "residual", "body": body}, FLAT, LOGITS], st.sampled_from([[FLAT], [CONV], [LOGITS]])
    ),
    st.builds(lambda layers: [*layers, LOGITS], st.sampled_from([[], [CONV], [{"kind": "adaptive-pool2d"}]])),
)
TOO_LARGE: st.SearchStrategy[Layers] = st.one_of(
    st.builds(
        lambda times: [*[{**CONV, "out_channels": 4096, "kernel_size": 63, "padding": 31}] * times, FLAT, LOGITS],
        st.integers(2, 150),
    ),
    st.builds(
        lambda times: [FLAT, *[{"kind": "linear", "out_features": 65_536}] * times, LOGITS], st.integers(20, 150)
    ),
)


def cases(ground: Ground) -> st.SearchStrategy[Case]:
    fields = st.sampled_from(sorted(BAD)).flatmap(lambda name: st.tuples(st.just(name), BAD[name]))
    typed = st.sampled_from(TYPED).flatmap(lambda name: st.tuples(st.just(name), BAD[name]))
    named = WORDS.filter(lambda name: name not in RunConfig.model_fields)
    return st.one_of(
        fields.map(lambda pair: _case(f"{pair[0]} = {pair[1]!r:.80}", training(ground, {**SHORT, pair[0]: pair[1]}))),
        typed.map(lambda pair: _as_option(*pair)),
        named.map(lambda name: _case(f"unknown field {name!r}", training(ground, {**SHORT, name: 1}))),
        (IMPOSSIBLE | UNFIT | TOO_LARGE).map(lambda layers: _layered(layers, partial(training, ground))),
    )


def _case(what: str, enter: Callable[[], object]) -> Case:
    return Case(f"config: {what}", enter)


def _as_option(name: str, value: object) -> Case:
    """As an option of the command line."""
    flag = f"--{name.replace('_', '-')}"
    text = str(value).replace("\0", "?")
    return _case(f"{flag} {text[:80]!r}", command("train", "--train-fraction", "0.1", f"{flag}={text}"))


def _layered(layers: Layers, door: Callable[[dict[str, object]], Callable[[], object]]) -> Case:
    network = {"name": "made", "title": "Made", "layers": layers}
    return _case(f"layers {reprlib.repr(layers):.100}", door({**SHORT, "architecture": network}))
