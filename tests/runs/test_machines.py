from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cnnlab.runs.machines import machines_with, unlike_here
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.training.device import machine_kind
from tests.runs.made import made

HERE = machine_kind(torch.device("cpu"))
OTHER = HERE.model_copy(update={"processor": "other"})


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return made(RunStore(tmp_path))


@pytest.mark.parametrize(
    ("before", "done", "after"),
    [
        ((), 0, (HERE,)),
        ((HERE,), 3, (HERE,)),
        ((OTHER,), 3, (OTHER, HERE)),
        ((HERE, OTHER), 3, (HERE, OTHER)),
        ((), 3, ()),  # of an older version, which did not say
    ],
)
def test_each_kind_is_noted_once(before: tuple[object], done: int, after: tuple[object], run: Run) -> None:
    summary = run.summary.model_copy(update={"machines": before})
    assert machines_with(summary, HERE, done) == after


def test_a_run_from_another_kind_says_how_it_differs(run: Run) -> None:
    config, summary = run.config, run.summary
    assert unlike_here(config, summary) == ""
    assert unlike_here(config, summary.model_copy(update={"machines": (HERE,)})) == ""
    told = unlike_here(config, summary.model_copy(update={"machines": (HERE, OTHER)}))
    assert told == f"processor with other, here {HERE.processor}"
    elsewhere = config.model_copy(update={"device": "mps"})
    assert unlike_here(elsewhere, summary.model_copy(update={"machines": (OTHER,)})) == ""
