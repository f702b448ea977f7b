from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cnnlab.data.datasets import DATASETS
from cnnlab.data.loading import load
from cnnlab.data.pictures.bursts import advice, burst_of, divided, parted
from cnnlab.data.pictures.checking import check
from cnnlab.data.pictures.store import Library
from cnnlab.data.pictures.version import Row
from tests.data.pictures.photos import added, folder_of, saved, scene

CLASSES = ("cup", "ball")


def recorded(bursts: int, each: int = 14) -> dict[str, bytes]:
    """Classes of bursts, in each of which one scene is seen a little brighter and brighter."""
    files = {}
    for at, name in enumerate(CLASSES):
        for burst in range(1, bursts + 1):
            for number in range(each):
                picture = scene(100 * at + burst).point(lambda tone, more=number: min(255, tone + more))
                files[f"{name}/burst-{burst}/{number:03}.png"] = saved(picture)
    return files


def rows_of(bursts: int, folder: Path) -> list[Row]:
    return list(added(folder_of(recorded(bursts), folder / "in"), Library(folder / "sets")).rows)


@pytest.mark.parametrize(
    ("path", "burst"),
    [
        ("cup/burst-2/007.jpg", "cup/burst-2"),
        ("all/cup/Burst-12/a.jpg", "all/cup/Burst-12"),
        ("burst-1/a.jpg", ""),  # a class
        ("cup/burst/a.jpg", ""),
        ("cup/a.jpg", ""),
    ],
)
def test_a_burst_is_a_folder_of_a_class(path: str, burst: str) -> None:
    assert burst_of(path) == burst


@pytest.mark.parametrize("bursts", [2, 3, 5])
def test_no_split_divides_a_burst_where_there_are_several(bursts: int, tmp_path: Path) -> None:
    rows = rows_of(bursts, tmp_path)
    assert not divided(rows)
    assert {(row.label, row.split) for row in rows} == {
        (label, split) for label in (0, 1) for split in ("train", "test")
    }


@pytest.mark.parametrize("bursts", [1, 2, 3])
def test_every_class_is_trained_on_validated_and_tested(
    bursts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNLAB_PICTURES", str(tmp_path / "sets"))
    rows_of(bursts, tmp_path)
    data = load(next(name for name in DATASETS if name.startswith("photos@")))
    for split in (data.train, data.validation, data.test):
        assert set(split.labels.tolist()) == {0, 1}


def test_one_burst_is_cut_into_stretches_and_that_is_told(tmp_path: Path) -> None:
    library = Library(tmp_path / "sets")
    out = added(folder_of(recorded(1), tmp_path / "in"), library)
    rows = sorted(out.rows, key=lambda row: row.path)
    tested = [number for number, row in enumerate(rows) if row.split == "test" and row.label == 0]
    assert tested == list(range(tested[0], tested[0] + 2))  # neighbours, of 14
    (line,) = advice(out.version.classes, rows)
    assert line.startswith("ball, cup: test pictures are from the same burst")
    kinds = {
        one.kind for one in check(out.version, out.rows, library.pixels(out.version), library.features(out.version))
    }
    assert "divided bursts" in kinds


def test_two_bursts_are_tested_honestly_and_validated_too_well(tmp_path: Path) -> None:
    (line,) = advice(("ball", "cup"), rows_of(2, tmp_path))
    assert line.startswith("ball, cup: validation pictures")


def test_with_three_bursts_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert not advice(("ball", "cup"), rows_of(3, tmp_path))


def test_bursts_that_look_alike_are_parted_from_one_another_first() -> None:
    paths = [f"cup/burst-{burst}/{number}.jpg" for burst in (1, 2) for number in range(4)]
    groups = parted(np.zeros(8, np.int64), paths, np.zeros(8, np.int64), np.full(8, True))
    assert len(set(groups[:4])) == len(set(groups[4:])) == 1
    assert groups[0] != groups[4]


def test_classes_without_bursts_stay_as_they_are() -> None:
    groups = np.zeros(4, np.int64)
    paths = ["cup/1.jpg", "cup/2.jpg", "cup/burst-1/3.jpg", "cup/burst-1/4.jpg"]
    assert (parted(groups, paths, groups, np.full(4, True)) == groups).all()
