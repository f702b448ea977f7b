"""Sweeps that cannot be: ranges that are none, folders with spoilt files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from cnnlab.jobs.sweep_config import SPACES, parse_sweep
from tests.faults.bad_configs import BAD, OTHERS, WORDS
from tests.faults.bad_runs import ANYHOW, FOREIGN, Spoil, changes, cut
from tests.faults.ground import SHORT, Case, Ground, command

ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, 1, "x", [], [1], {}, {"low": 1}, {"low": 2, "high": 1}, {"options": []}, {"options": [1]}]
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "trials": BAD["epochs"],
    "minutes": st.sampled_from([0, -1, 1e300, "x", []]),
    "pruner": OTHERS | st.integers(),
    "seed": BAD["seed"],
    "space": st.dictionaries(st.sampled_from(sorted(SPACES)) | st.text(), ODD, max_size=4),
    "base": st.sampled_from([1, [], "x", {"epochs": 0}, {"foreign": 1}, {"architecture": {"layers": []}}]),
    "foreign": st.integers(),
}
RANGES = st.one_of(
    WORDS,
    st.builds(
        lambda name, text: f"{name}={text}",
        st.sampled_from(sorted(SPACES)),
        st.sampled_from(
            [
                "",
                ":",
                "1:0",
                "a:b",
                "nan:nan",
                "0:inf",
                "-1:2:log",
                "1:2:3",
                "1",
                ",",
                "x,y",
                "1e400:2",
                "[1],[2]",
                "-5,-6",
                "99999999999999999999,1",
            ]
        ),
    ),
    st.builds(
        lambda name, values: f"{name}={','.join(map(str, values))}",
        st.sampled_from(["batch_size", "epochs"]),
        st.lists(st.integers(max_value=0), min_size=2),
    ),
)


def cases(ground: Ground) -> st.SearchStrategy[Case]:
    fields = st.sampled_from(sorted(FIELDS)).flatmap(lambda name: st.tuples(st.just(name), FIELDS[name]))
    return st.one_of(
        RANGES.map(
            lambda text: Case(
                f"sweep --search {text[:60]!r}",
                command("sweep", "--train-fraction", 0.1, f"--search={text}".replace("\0", "?")),
            )
        ),
        fields.map(lambda pair: Case(f"sweep {pair[0]} = {pair[1]!r:.80}", lambda: _parsed(dict([pair])))),
        st.builds(lambda name, how: _spoilt(ground, name, how), st.just("sweep.json"), ANYHOW | changes(FIELDS)),
        st.builds(
            lambda how: _spoilt(ground, "study.jsonl", how),
            cut(0.8) | FOREIGN,
        ),
        st.builds(lambda trials: _extended(ground, trials), st.integers(1001, 10**30) | st.integers(max_value=-1)),
        st.text(max_size=200).map(
            lambda name: Case(
                f"sweep --continue {name!r:.60}", command("sweep", f"--continue=x{name}".replace("\0", "?"))
            )
        ),
    )


def _parsed(fields: dict[str, Any]) -> None:
    parse_sweep({"base": SHORT, "space": {"learning_rate": {"low": 0.01, "high": 0.1}}, **fields})


def _copy(ground: Ground) -> Path:
    runs = ground.file("runs").parent
    return Path(shutil.copytree(ground.sweep.folder, runs / ".sweeps" / ground.sweep.id))


def _spoilt(ground: Ground, name: str, how: tuple[str, Spoil]) -> Case:
    folder = _copy(ground)
    told, spoil = how
    spoil(folder / name)
    return Case(f"sweep: {name} {told}", command("sweep", "--continue", folder.name, "--runs", folder.parent.parent))


def _extended(ground: Ground, trials: int) -> Case:
    folder = _copy(ground)
    arguments = ("--continue", folder.name, "--runs", folder.parent.parent, f"--trials={trials}")
    return Case(f"sweep --trials {trials}", command("sweep", *arguments))
