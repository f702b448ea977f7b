from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cnnlab.data.datasets import DATASETS
from cnnlab.data.pictures.adding import add
from cnnlab.data.pictures.assembling import Added, Options
from cnnlab.data.pictures.checking import check
from cnnlab.data.pictures.drawn import drawings_source
from cnnlab.data.pictures.store import Library
from cnnlab.data.pictures.version import Version, read_info
from cnnlab.drawings.preprocess import prepare, stroke_ink
from cnnlab.drawings.strokes import LabelledDrawing


def bars(each: int = 6) -> list[LabelledDrawing]:
    """Bars that hardly differ, upright and lying."""
    flat = [LabelledDrawing(strokes=[[(0, number / 100), (1, 0)]], label="flat") for number in range(each)]
    upright = [LabelledDrawing(strokes=[[(number / 100, 0), (0, 1)]], label="up/right") for number in range(each)]
    return flat + upright


@pytest.fixture
def version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Version:
    monkeypatch.setenv("CNNLAB_PICTURES", str(tmp_path))
    *_, out = add(drawings_source(bars()), Options(name="bars", colour="grey", is_drawn=True), Library(tmp_path))
    assert isinstance(out, Added)
    return out.version


def test_drawings_are_pictures_as_a_network_gets_them(version: Version, tmp_path: Path) -> None:
    library = Library(tmp_path)
    assert version.classes == ("flat", "up-right")
    assert version.shape == (1, 28, 28)
    row = next(row for row in library.rows(version) if row.path == "flat/0001.png")
    assert np.array_equal(library.pixels(version)[row.row], prepare(stroke_ink(bars()[0]))[0])


def test_a_set_of_drawings_is_one_that_the_canvas_can_draw(version: Version) -> None:
    spec = DATASETS[version.key]
    assert spec.is_drawn
    assert spec.augmentation == "affine"
    assert spec.is_light_on_dark


def test_drawings_that_look_alike_are_split_all_the_same(version: Version, tmp_path: Path) -> None:
    library = Library(tmp_path)
    rows = library.rows(version)
    assert {(row.label, row.split) for row in rows} == {(0, "train"), (0, "test"), (1, "train"), (1, "test")}
    kinds = {finding.kind for finding in check(version, rows, library.pixels(version), library.features(version))}
    assert not kinds & {"leaks", "near duplicates", "dark", "two classes"}


def test_what_was_added_before_drawings_is_read_as_pictures(version: Version) -> None:
    older = version.model_dump_json(exclude={"is_drawn"})
    assert not read_info(older.encode(), "it").is_drawn
