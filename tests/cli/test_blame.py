from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from cnnlab.data.loading import load_test
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.runs.trained import load_trained
from tests.cli.commands import call, last_line, refusal
from tests.samples import TINY
from tests.trainings import train


@pytest.fixture
def run() -> Run:
    return train(architecture=TINY, epochs=2, train_fraction=0.1)


def first(run: Run, *, is_right: bool) -> int:
    """The number of the first test image that the run reads right, or wrong, from 1."""
    split = load_test("mnist-sample")
    return int((((load_trained(run).logits(split).argmax(1) == split.labels) == is_right).nonzero())[0]) + 1


def test_blame_names_training_images_and_asks_a_run_without_them(capsys: pytest.CaptureFixture[str], run: Run) -> None:
    number = first(run, is_right=False)
    told = last_line(call(capsys, "blame", run.id, str(number), "--count", "4", "--retrain", "--json"))
    assert told["label"] == run.summary.classes[int(load_test("mnist-sample").labels[number - 1])] != told["answer"]
    assert len(told["blamed"]) == len(told["nearest"]) == 4
    assert told["searched"] == told["trained_on"]
    again = RunStore(runs_folder()).open(told["retrained"]["run"])
    assert set(again.config.left_out) == {row["index"] for row in told["blamed"]}
    assert told["retrained"]["turned"] == (told["retrained"]["answer"] == told["label"])


def test_blame_takes_a_file_with_its_class(capsys: pytest.CaptureFixture[str], run: Run, tmp_path: Path) -> None:
    number = first(run, is_right=False)
    picture = tmp_path / "digit.png"
    Image.fromarray(load_test("mnist-sample").image(number - 1)[0].numpy()).save(picture)
    assert "name the right class" in refusal(capsys, "blame", run.id, str(picture))
    answer = last_line(call(capsys, "predict", run.id, str(picture), "--json"))["predictions"][0]["class"]
    label = next(name for name in run.summary.classes if name != answer)
    lines = call(capsys, "blame", run.id, str(picture), "--label", label).splitlines()
    assert lines[0].startswith(f"says {answer}")
    assert lines[0].endswith(f"is {label}")


def test_what_cannot_be_blamed_is_told(capsys: pytest.CaptureFixture[str], run: Run) -> None:
    assert "reads this image right" in refusal(capsys, "blame", run.id, str(first(run, is_right=True)))
    assert "test images 1 to 500" in refusal(capsys, "blame", run.id, "501")
    assert "there is no file" in refusal(capsys, "blame", run.id, "none.png")
    assert "no class 'q'" in refusal(capsys, "blame", run.id, "1", "--label", "q")
