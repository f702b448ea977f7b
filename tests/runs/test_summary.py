from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import About, Summary
from cnnlab.training.config import Parent, RunConfig
from tests.samples import lesson


def test_what_is_said_of_a_run_comes_back_and_is_bounded(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(RunConfig())
    assert run.about == About()
    assert run.title.startswith("Compact batch-norm net on MNIST sample, ")
    said = About(title="Mine", tags=("a", "b", "a"), note="A\nnote", pinned=True)
    run.write_about(said)
    assert run.about == said
    assert (run.title, run.about.tags) == ("Mine", ("a", "b"))
    with pytest.raises(ValueError, match="at most 100"):
        About(title="x" * 101)


@pytest.mark.parametrize("colour", ["red", "#12345", "#1234567", "url(x)", "#12345g", "#123456;"])
def test_a_colour_is_six_digits_and_nothing_else(colour: str) -> None:
    with pytest.raises(ValueError, match="colour"):
        About(colour=colour)


def test_a_branch_is_called_by_what_made_it_of_another(tmp_path: Path) -> None:
    config = RunConfig(parent=Parent(run="20260101-000000-abc", epoch=7))
    store = RunStore(tmp_path)
    assert store.create(config).title.startswith("Compact batch-norm net on MNIST sample, from epoch 7, ")
    taught = store.create(config.model_copy(update={"lessons": (lesson(),)}))
    assert taught.title.startswith("Compact batch-norm net on MNIST sample, taught 1 drawing, ")


def test_a_summary_of_an_older_version_has_its_balanced_accuracy_all_the_same() -> None:
    fields = {"id": "old", "created": "2026-01-01T00:00:00Z", "classes": ["a", "b"], "mean": [0], "std": [1]}
    assert Summary.model_validate(fields).balanced_accuracy is None
    judged = Summary.model_validate({**fields, "per_class": {"b": 0.5, "a": 1.0}, "support": {"a": 30, "b": 10}})
    assert (judged.balanced_accuracy, judged.macro_f1, judged.is_imbalanced) == (0.75, None, True)


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "two\nlines"},
        {"threads": -1},
        {"threads": 10**9},
        {"epoch": 10**9},
        {"shape": [1, 10**5, 10**5]},
        {"mean": []},
        {"std": [0]},
        {"std": [1, 1]},
        {"test_accuracy": 1e300},
        {"per_class": {"nothing": 0.5}},
    ],
    ids=str,
)
def test_a_summary_that_cannot_be_is_told(fields: dict[str, object], spoilt: Run) -> None:
    path = spoilt.folder / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))
    with pytest.raises(RunError, match=r"summary\.json is damaged"):
        _ = spoilt.summary
