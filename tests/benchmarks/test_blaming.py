from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import blaming
from benchmarks.blaming import BLAMED, NEAREST, OF_WRONG_CLASS, config_of, table, turned


def test_each_way_is_asked_of_the_same_errors_and_answers_are_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(blaming, "COUNT", 2)
    found = turned("mnist-sample", tmp_path, errors=2, draws=1)
    assert {len(found[way]) for way in (BLAMED, NEAREST, OF_WRONG_CLASS, "random")} == {2}
    monkeypatch.setattr(blaming, "fit", None)  # nothing is trained again
    assert turned("mnist-sample", tmp_path, errors=2, draws=1) == found


def test_a_training_without_images_differs_in_them_alone() -> None:
    assert config_of("mnist", 1, [17, 3]).model_copy(update={"excluded": ""}) == config_of("mnist", 1)
    assert config_of("mnist", 1, [17, 3]).left_out == (3, 17)


def test_figures_are_markdown_tables() -> None:
    one: dict[str, object] = {"images": 999, "draws": 4, "accuracies": [0.9, 1.0], "misread": 70}
    one |= {"random": [1, 0, 0, 0], NEAREST: [True, False] * 2, OF_WRONG_CLASS: [False] * 4}
    figures = {"turned": {"mnist": one | {BLAMED: [True] * 4}}, "seconds": {"default run": [2.0, 0.02, 0.04]}}
    lines = table(figures).splitlines()
    assert lines[0] == "MNIST, 999 training images, 95.0% of the test images right, 70 misread by all three seeds:"
    assert lines[4].startswith("| 10 at random, mean of 4 draws | 6.2% | 0.0% to")
    assert lines[5] == "| 10 nearest | 50.0% (2) | 15.0% to 85.0% | 0.5 |"
    assert lines[7].startswith("| 10 blamed | 100.0% (4) |")
    assert lines[-1] == "| default run | 2.0 s | 30 ms |"
