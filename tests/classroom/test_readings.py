from __future__ import annotations

from collections.abc import Sequence

import pytest

from cnnlab.classroom.folder import class_folder
from cnnlab.classroom.readings import readings
from cnnlab.data.datasets import dataset_spec
from cnnlab.data.handwriting import drawing_images
from cnnlab.data.spec import DatasetSpec
from cnnlab.data.splits import Split
from cnnlab.drawings.strokes import LabelledDrawing
from cnnlab.jobs.worker import completed
from cnnlab.runs.run import Run
from cnnlab.runs.store import runs_folder
from tests.classroom.samples import ADA, BOB, digits, handed

SPEC = dataset_spec("mnist-sample")


def test_a_network_reads_each_writers_digits_once(listed_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = [handed(ADA, [True], run=listed_run.id)]
    first = completed(readings(mine, {ADA.id: digits()}, SPEC, runs_folder()))
    hits = first[listed_run.id][ADA.id]
    assert len(hits) == 10
    assert hits.count("1") >= 5  # two epochs know the example digits better than by guessing
    rendered: list[int] = []

    def counting(drawn: Sequence[LabelledDrawing], spec: DatasetSpec) -> Split:
        rendered.append(len(drawn))
        return drawing_images(drawn, spec)

    monkeypatch.setattr("cnnlab.classroom.readings.drawing_images", counting)
    both = completed(readings(mine, {ADA.id: digits(), BOB.id: digits(0.1)}, SPEC, runs_folder()))
    assert both[listed_run.id][ADA.id] == hits
    assert rendered == [10]  # Bob's
    completed(readings(mine, {ADA.id: digits(), BOB.id: digits(0.1)}, SPEC, runs_folder()))
    assert rendered == [10]


def test_a_damaged_file_is_computed_again(listed_run: Run) -> None:
    mine = [handed(ADA, [True], run=listed_run.id)]
    first = completed(readings(mine, {ADA.id: digits()}, SPEC, runs_folder()))
    for content in ("[", "[1]", '{"x": "2"}'):
        (class_folder(runs_folder()) / "readings" / f"{listed_run.id}.json").write_text(content)
        assert completed(readings(mine, {ADA.id: digits()}, SPEC, runs_folder())) == first
