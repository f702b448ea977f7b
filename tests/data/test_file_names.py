from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cnnlab.data.datasets import own_pictures
from cnnlab.data.file_names import file_names
from cnnlab.data.loading import load
from tests.data.pictures.photos import added, folder_of, photos


def test_own_pictures_are_named_by_the_files_they_came_from(tmp_path: Path) -> None:
    version = added(folder_of(photos(), tmp_path), own_pictures()).version
    data = load(version.key, 0.25)
    for split in (data.train, data.validation, data.test):
        names = file_names(version.key, split, range(len(split)))
        assert [version.classes.index(Path(name).parent.name) for name in names] == split.labels.tolist()
    last = len(data.train) - 1
    assert file_names(version.key, data.train, [last, 0]) == [
        name for index in (last, 0) for name in file_names(version.key, data.train, [index])
    ]
    mixed = replace(data.train, pixels=data.train.images, rows=None)
    assert file_names(version.key, mixed, [0]) == []


def test_images_of_the_table_have_no_files() -> None:
    assert file_names("mnist-sample", load("mnist-sample").train, [0]) == []
