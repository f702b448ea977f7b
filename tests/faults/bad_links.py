"""Links of strangers: a setup or a design in an address that is damaged, made to burst, or asks for what cannot be."""

from __future__ import annotations

import json
import zlib
from base64 import urlsafe_b64encode
from functools import partial
from typing import Any

from hypothesis import strategies as st

from cnnlab.networks.designs import MAX_BYTES, from_link, to_link
from cnnlab.networks.presets import PRESETS
from cnnlab.training.config_link import NAMES, from_query
from tests.faults.bad_configs import BAD, IMPOSSIBLE, TYPED, WORDS
from tests.faults.ground import Case, Ground

GOOD = to_link(PRESETS["basic-cnn"])


def _word(content: bytes) -> str:
    return urlsafe_b64encode(zlib.compress(content, 9)).decode().rstrip("=")


def _written(layers: Any) -> str | None:
    """A design of these layers as a link; None for what no JSON holds."""
    try:
        return _word(json.dumps({"name": "made", "title": "Made", "layers": layers}).encode())
    except (ValueError, RecursionError):
        return None


DAMAGED: st.SearchStrategy[str] = st.one_of(
    st.integers(1, len(GOOD) - 8).map(lambda length: GOOD[:length]),
    WORDS.filter(lambda word: word != GOOD),
    st.binary(max_size=300).map(_word),
    st.integers(2, 100).map(lambda times: _word(b" " * MAX_BYTES * times)),  # bursts
    st.integers(1_000, 100_000).map(lambda depth: _word(b"[" * depth)),
    st.just("A" * 1_000_000),
)


def cases(ground: Ground) -> st.SearchStrategy[Case]:
    settings = st.sampled_from(TYPED).flatmap(lambda name: st.tuples(st.just(name), BAD[name]))
    unknown = WORDS.filter(lambda name: name not in NAMES)
    return st.one_of(
        DAMAGED.map(lambda word: Case(f"link: design {word[:40]!r}", partial(from_link, word))),
        (DAMAGED | IMPOSSIBLE.map(_written).filter(bool).map(str)).map(lambda word: _setup({"design": word})),
        settings.map(lambda pair: _setup({pair[0]: str(pair[1])})),
        unknown.map(lambda name: _setup({name: "1"})),
        WORDS.map(lambda word: _setup({"recipe": f"no {word}"})),
    )


def _setup(query: dict[str, str]) -> Case:
    return Case(f"link: {str(query)[:80]}", partial(from_query, query))
