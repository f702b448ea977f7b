"""Files of drawings that are none, are too many or too deep, or go by no label."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from cnnlab.drawings.strokes import read_drawings, read_labelled_drawings, write_labelled_drawings
from tests.faults.ground import Case, Ground, command
from tests.samples import lesson

LESSONS = write_labelled_drawings([lesson()] * 30)
GOOD = json.loads(write_labelled_drawings([lesson()]))[0]
WRONG: st.SearchStrategy[Any] = st.sampled_from([None, 1, "x", {}, [], [[]], True, -1.5, {"a": []}])
ENDLESS = st.sampled_from([float("inf"), -float("inf"), float("nan"), 10**400])


def _changed(**fields: object) -> Any:
    return [{**GOOD, **fields}]


UNTRUE: st.SearchStrategy[Any] = st.one_of(
    WRONG.filter(lambda value: value != []).map(lambda value: [value]),
    WRONG.map(lambda value: _changed(strokes=value)),
    WRONG.map(lambda value: _changed(strokes=[value])),
    WRONG.map(lambda value: _changed(strokes=[[value]])),
    st.lists(st.floats(-1, 1), max_size=5)
    .filter(lambda point: len(point) != 2)
    .map(lambda point: _changed(strokes=[[point]])),
    st.tuples(ENDLESS, ENDLESS).map(lambda point: _changed(strokes=[[point]])),
    st.sampled_from(["nan", "NaN", None, [], "wide", 0, -1, -1e308]).map(lambda pen: _changed(pen=pen)),
)
UNLABELLED: st.SearchStrategy[Any] = st.one_of(
    st.text(min_size=1).filter(lambda text: text not in "0123456789").map(lambda label: _changed(label=label)),
    st.sampled_from(["", "7" * 41, None, [], {}, 10, -7, 7.5]).map(lambda label: _changed(label=label)),
    st.just([{"strokes": GOOD["strokes"]}]),
    st.integers(501, 3000).map(lambda count: [GOOD] * count),
)
_DOT = b'{"label":"7","strokes":[[[0,0]]]}'
_ONES = b"[" + b"1," * 9_998 + b"1]"


def _many(head: bytes, one: bytes, count: int, tail: bytes) -> bytes:
    return head + b",".join([one] * count) + tail


RAW: st.SearchStrategy[bytes] = st.one_of(
    st.integers(1, 200_000).map(lambda depth: b"[" * depth),
    st.integers(1, 200_000).map(lambda depth: b'[{"strokes":' * depth),
    st.integers(10_001, 200_000).map(lambda count: _many(b"[", _DOT, count, b"]")),
    st.integers(10_001, 900_000).map(lambda count: _many(b'[{"label":"7","strokes":[[', b"[0,0]", count, b"]]}]")),
    st.integers(1, 450).map(lambda count: _many(b'[{"label":"7","strokes":[', _ONES, count, b"]}]")),
    st.integers(1001, 50_000).map(lambda count: _many(b'[{"label":"7","strokes":[', b"[[0,0]]", count, b"]}]")),
    st.integers(10_001, 4_000_000).map(lambda count: _many(b"[", b"1", count, b"]")),
    st.integers(10_001, 3_000_000).map(lambda count: _many(b"[", b"[]", count, b"]")),
    st.integers(10_000_001, 30_000_000).map(lambda size: b"[" + b" " * size + b"]"),
    st.binary(min_size=1, max_size=2000).map(lambda junk: b"[" + junk),
    st.floats(0, 0.99).map(lambda share: LESSONS[: int(share * len(LESSONS))]),
    st.sampled_from(["utf-32", "cp037"]).map(lambda name: write_labelled_drawings([lesson()]).decode().encode(name)),
    st.just(b'[{"label":"\xff","strokes":[[[0,0]]]}]'),
    st.sampled_from([b"NaN", b"Infinity", b"1e999", b"-1e999"]).map(
        lambda number: b'[{"label":"7","strokes":[[[0,%s]]]}]' % number
    ),
)


def cases(ground: Ground) -> st.SearchStrategy[Case]:
    untrue, unlabelled = (kind.map(lambda found: json.dumps(found).encode()) for kind in (UNTRUE, UNLABELLED))
    taught = st.sampled_from(
        [
            lambda content: command("teach", ground.run.folder, ground.file("drawings.json", content)),
            lambda content: command("train", "--epochs", 1, "--lessons", ground.file("drawings.json", content)),
        ]
    )
    read = st.sampled_from(
        [
            lambda content: lambda: read_drawings(content),
            lambda content: lambda: read_labelled_drawings(content),
            lambda content: command("predict", ground.run.folder, ground.file("drawings.json", content)),
        ]
    )
    return st.one_of(
        st.builds(_case, untrue | RAW, read | taught),
        st.builds(_case, unlabelled, taught),
        st.builds(
            lambda size, name: _sparse(ground, size, name),
            st.integers(10**8, 10**10),
            st.sampled_from(["predict", "teach"]),
        ),
        st.sampled_from(["predict", "teach"]).map(
            lambda name: Case("drawings without end", command(name, ground.run.folder, "/dev/zero"))
        ),
    )


def _case(content: bytes, door: Callable[[bytes], Callable[[], object]]) -> Case:
    return Case(f"drawings, {len(content)} bytes: {content[:80]!r}", door(content))


def _sparse(ground: Ground, size: int, name: str) -> Case:
    path = ground.file("drawings.json", b"[")
    os.truncate(path, size)
    return Case(f"drawings in a file of {size:,} bytes", command(name, ground.run.folder, path))
