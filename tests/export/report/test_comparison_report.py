from __future__ import annotations

import numpy as np

from cnnlab.evaluation.metrics import Answers
from cnnlab.export.report.comparison_report import comparison_report
from cnnlab.runs.entry import read_entry
from cnnlab.runs.run import Run
from tests.export.report.reading import Reader
from tests.samples import changed

TITLE = "<script>alert(1)</script>"


def answered(run: Run) -> Answers:
    """Answers to the test images, all right."""
    labels = np.arange(500) % 10
    return Answers(np.eye(10)[labels], labels, run.summary.classes)


def test_runs_stand_side_by_side_in_their_own_colours(finished_run: Run) -> None:
    entry = read_entry(finished_run)
    other = changed(
        entry,
        config=entry.config.model_copy(update={"optimizer": "sgd"}),
        about=entry.about.model_copy(update={"colour": "#0e9bb5"}),
    )
    page = Reader(comparison_report({TITLE: entry, "plain": other}, answered))
    assert page.is_self_contained
    assert page.text.count(TITLE) == 3  # in the list, the legend and above its command
    assert "Optimiser AdamW SGD" in page.text
    assert "1 and 2 no evidence of a difference +0.0 1 not known not known 0 0 500" in page.text
    assert page.source.count("#0e9bb5") >= 4  # swatches and lines


def test_runs_without_common_images_are_not_tested_against_each_other(finished_run: Run) -> None:
    entry = read_entry(finished_run)
    other = changed(entry, config=entry.config.model_copy(update={"dataset": "mnist"}))
    text = Reader(comparison_report({"a": entry, "b": other}, answered)).text
    assert "no test images in common" in text
    assert "Data set MNIST sample MNIST" in text
