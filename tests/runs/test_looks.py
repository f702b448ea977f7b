from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch

from cnnlab.data.loading import load_test
from cnnlab.data.splits import Split, sampled
from cnnlab.evaluation.corruptions import CORRUPTIONS, STRENGTHS, robustness
from cnnlab.evaluation.metrics import interval
from cnnlab.runs.archive import pack, unpack
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.runs.summary import Summary, how_tested
from cnnlab.runs.trained import judge, load_trained


def summary(images: int = 500) -> Summary:
    """Of a run with one class of so many test images."""
    fields = {"id": "a", "created": "2026-01-01T00:00:00Z", "classes": ("0",), "mean": (0.0,), "std": (1.0,)}
    return Summary.model_validate({**fields, "support": {"0": images}})


def test_each_look_at_the_test_images_is_counted_on_disk(listed_run: Run) -> None:
    assert listed_run.looks == 1  # when its training ended
    judge(listed_run)
    assert Run(listed_run.folder).looks == 2


def test_looks_travel_with_a_run(listed_run: Run, tmp_path: Path) -> None:
    judge(listed_run)
    file = io.BytesIO()
    pack([listed_run], file)
    store = RunStore(tmp_path / "elsewhere")
    unpack(file, store)
    assert store.open(listed_run.id).looks == 2


def test_what_cannot_be_counted_does_not_keep_anybody_from_looking(tmp_path: Path) -> None:
    run = Run(tmp_path / "gone")
    run.count_look(1)
    assert run.looks == 0


@pytest.mark.parametrize(
    ("looks", "words"),
    [
        (0, "Tested after training, on 500 images"),
        (1, "Tested once, after training, on 500 images"),
        (2, "Tested after training, on 500 images; looked at once more"),
        (3, "Tested after training, on 500 images; looked at 2 times more"),
    ],
)
def test_a_test_is_told_with_its_looks(looks: int, words: str) -> None:
    assert how_tested(summary(), looks) == words


def test_robustness_asks_a_stratified_part_and_tells_its_intervals(
    finished_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnnlab.evaluation.corruptions.IMAGES", 100)
    order = load_test("mnist-sample").labels.argsort()  # the first 100 would be two classes
    test = load_test("mnist-sample").part(order)
    rows = robustness(load_trained(finished_run).answers, test)
    assert len(rows) == len(CORRUPTIONS) * (1 + len(STRENGTHS))
    for low, high, accuracy, images in rows[["low", "high", "accuracy", "images"]].to_numpy().tolist():
        assert (low, high) == interval(round(accuracy * images), int(images))
    plain = load_trained(finished_run).answers(sampled(test, 100))
    assert rows["accuracy"].iloc[0] == plain.hits.mean()


def test_a_draw_has_the_same_share_of_every_class_and_is_not_the_beginning() -> None:
    labels = torch.arange(10).repeat_interleave(100)
    split = Split(torch.arange(1000), labels)
    some = sampled(split, 200)
    assert np.bincount(some.labels.numpy()).tolist() == [20] * 10
    assert some.images.max() > 900
    assert sampled(split, 2000) is split
