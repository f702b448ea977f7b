from __future__ import annotations

from dataclasses import replace

import pytest

from cnnlab.export.portable import ExportError, Portable
from cnnlab.export.report.run_report import run_report
from cnnlab.runs.run import Run
from cnnlab.training.recipes import DEFAULT, RECIPES
from tests.export.portables import portable
from tests.export.report.reading import Reader
from tests.samples import TINY

HOSTILE = "<script>alert(1)</script> {{ 7 * 7 }} <img src=x onerror=y>\x00"


@pytest.fixture(scope="module")
def hostile(packed: Portable) -> Reader:
    """The report of a run whose title and classes are hostile."""
    names = tuple(f"{name}{HOSTILE}" for name in packed.trained.classes)
    trained = replace(packed.trained, classes=names)
    return Reader(run_report(replace(packed, title=HOSTILE, trained=trained)))


def test_strangers_words_are_shown_as_they_were_typed(hostile: Reader) -> None:
    assert hostile.is_self_contained
    assert hostile.tags.count("img") <= 13  # mistakes and filters
    assert "<script>alert(1)</script> {{ 7 * 7 }} <img src=x onerror=y>" in hostile.text
    assert "\x00" not in hostile.source


def test_it_tells_all_that_is_known_of_a_run(hostile: Reader, finished_run: Run) -> None:
    for told in (
        f"{finished_run.summary.test_accuracy:.1%}",
        f"Recipe “{RECIPES[DEFAULT].title}”",
        "Validation accuracy",
        "Expected calibration error",
        "On worse images",
        "What nobody tested",
        "python -m cnnlab train",
        "on 500 images",
    ):
        assert told in hostile.text
    assert hostile.tags.count("svg") == 14  # network, two curves, calibration, an interval a class
    assert len(hostile.source) < 1_000_000


def test_of_a_network_without_a_run_there_is_none() -> None:
    with pytest.raises(ExportError, match="of a training"):
        run_report(portable(TINY, (1, 28, 28)))
