from __future__ import annotations

from pathlib import Path

import pytest

from cnnlab.data.datasets import own_pictures
from cnnlab.data.pictures.confirmed import confirm, confirmed
from cnnlab.data.pictures.editing import change
from cnnlab.data.pictures.version import PictureSetError, Version
from tests.data.pictures.photos import added, folder_of, photos


@pytest.fixture
def version(tmp_path: Path) -> Version:
    return added(folder_of(photos(each=10), tmp_path / "in"), own_pictures()).version


def test_what_was_found_right_stays_so_in_later_versions_as_long_as_its_class_does(version: Version) -> None:
    library = own_pictures()
    assert confirmed(library, version) == set()
    confirm(library, version, [3])
    confirm(library, version, [5])
    assert confirmed(library, version) == {3, 5}
    moved = change(library, version, {3: "dog"}, {0})
    kept = {library.rows(moved)[number].path for number in confirmed(library, moved)}
    assert kept == {library.rows(version)[5].path}


def test_a_damaged_file_is_told(version: Version) -> None:
    library = own_pictures()
    (library.folder / version.name / "confirmed.csv").write_text("one,two,three\n")
    with pytest.raises(PictureSetError, match=r"confirmed\.csv is damaged"):
        confirmed(library, version)
