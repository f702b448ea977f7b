from __future__ import annotations

import lzma
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

from cnnlab.data.loading import load
from cnnlab.data.pictures.layout import LayoutError
from cnnlab.data.pictures.store import Library
from cnnlab.data.pictures.version import PictureSetError
from tests.data.pictures.photos import added, folder_of, photos, saved, scene, walked, zip_of


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "pictures")


def test_a_folder_of_classes_becomes_a_data_set(library: Library, tmp_path: Path) -> None:
    result = added(folder_of(photos(), tmp_path / "in"), library, size=40)
    version = library.version("photos")
    assert version == result.version
    assert (version.classes, version.shape) == (("cat", "dog"), (3, 40, 40))
    assert version.train + version.test == 16
    data = load(version.key, 0.2)
    assert len(data.train) + len(data.validation) == version.train
    pixels = library.pixels(version)
    for row in library.rows(version):
        number = 100 * row.label + ord(row.path[-5]) - 97
        assert np.array_equal(pixels[row.row].permute(1, 2, 0).numpy(), np.asarray(scene(number)))
    train = pixels[: version.train].double() / 255
    assert version.mean == pytest.approx(train.mean((0, 2, 3)).tolist(), abs=1e-4)
    assert version.std == pytest.approx(train.std((0, 2, 3), correction=0).tolist(), abs=1e-4)


def test_every_file_is_used_refused_or_ignored(library: Library, tmp_path: Path) -> None:
    files = photos() | {
        "cat/empty.png": b"",
        "cat/page.jpg": b"<html>",
        "cat/notes.txt": b"",
        "cat/.DS_Store": b"",
        "loose.png": saved(scene(7)),
        "cat/cut.jpg": saved(scene(8), "JPEG")[:300],
    }
    result = added(zip_of(files, tmp_path / "x.zip"), library)
    refused, ignored = dict(result.contents.refused), dict(result.contents.ignored)
    assert set(refused) == {"cat/empty.png", "cat/page.jpg", "loose.png", "cat/cut.jpg"}
    assert refused["cat/empty.png"] == "the file is empty"
    assert refused["loose.png"] == "in no folder of a class"
    assert set(ignored) == {"cat/notes.txt", "cat/.DS_Store"}
    assert {row.path for row in result.rows} == set(photos())
    assert library.contents(result.version) == result.contents


def test_a_table_of_labels_takes_the_place_of_folders(library: Library, tmp_path: Path) -> None:
    pictures = {path.replace("/", "-"): content for path, content in photos().items()}
    table = "file,label\n" + "".join(f"{path},{path[:3]}\n" for path in pictures)
    result = added(folder_of(pictures | {"labels.csv": table.encode()}, tmp_path / "in"), library)
    assert result.version.classes == ("cat", "dog")
    assert dict(result.contents.ignored) == {"labels.csv": "the table of labels"}
    assert all(row.path.startswith(result.version.classes[row.label]) for row in result.rows)


def test_train_and_test_folders_are_kept(library: Library, tmp_path: Path) -> None:
    files = {f"train/{path}": content for path, content in photos().items()}
    files |= {f"test/{path}": saved(scene(1000 + at)) for at, path in enumerate(photos(each=2))}
    result = added(folder_of(files, tmp_path / "in"), library)
    assert (result.version.train, result.version.test) == (16, 4)
    assert all(row.path.startswith(row.split) for row in result.rows)


def test_pictures_that_look_alike_are_on_one_side(library: Library, tmp_path: Path) -> None:
    files = {
        f"{name}/{kind}-{number}.jpg": saved(scene(100 * at + number), "JPEG", quality=quality)
        for at, name in enumerate(("cat", "dog"))
        for number in range(12)
        for kind, quality in (("a", 95), ("b", 60))
    }
    result = added(folder_of(files, tmp_path / "in"), library)
    sides: dict[int, set[str]] = {}
    for row in result.rows:
        sides.setdefault(row.group, set()).add(row.split)
    assert len(sides) == 24
    assert all(len(found) == 1 for found in sides.values())
    data = load(result.version.key, 0.2)
    assert data.train.groups is not None
    assert data.validation.groups is not None
    assert not set(data.train.groups.tolist()) & set(data.validation.groups.tolist())
    assert len(result.near_duplicates) == 24


def test_grey_pictures_have_one_channel(library: Library, tmp_path: Path) -> None:
    folder = folder_of(photos(grey=True), tmp_path / "in")
    assert added(folder, library).version.channels == 1
    assert added(folder, library, colour="rgb").version.channels == 3
    assert library.numbers("photos") == [1, 2]


def test_the_size_follows_small_pictures(library: Library, tmp_path: Path) -> None:
    for size, chosen in ((20, 28), (32, 32), (40, 48), (300, 64)):
        folder = folder_of(photos(each=3, size=size), tmp_path / str(size))
        assert added(folder, library, f"of-{size}").version.size == chosen


def test_an_original_has_a_preview_where_pixels_do_not_show_all(library: Library, tmp_path: Path) -> None:
    result = added(folder_of(photos(size=300), tmp_path / "in"), library, size=32)
    for row in result.rows:
        preview = tmp_path / "preview.jpg"
        preview.write_bytes(library.preview(result.version, row))
        with Image.open(preview) as image:
            assert max(image.size) == 192
    small = added(folder_of(photos(size=32), tmp_path / "small"), library, size=32)
    assert library.preview(small.version, small.rows[0]) == b""


def test_who_stops_midway_leaves_the_library_as_it_was(library: Library, tmp_path: Path) -> None:
    folder = folder_of(photos(), tmp_path / "in")
    before = added(folder, library).version
    for steps in range(1, 5):
        walk = walked(folder, library)
        for _ in range(steps):
            next(walk)
        walk.close()  # type: ignore[attr-defined]
        assert library.version("photos") == before
        assert [path.name for path in library.folder.iterdir()] == ["photos"]


def test_what_cannot_be_trained_on_adds_nothing(library: Library, tmp_path: Path) -> None:
    for files, told in (
        (photos(("cat",)), "only one class"),
        (dict.fromkeys(photos(), b""), "see the report"),
        ({"a.png": saved(scene(1))}, "one folder per class"),
    ):
        with pytest.raises(LayoutError, match=told):
            added(zip_of(files, tmp_path / "x.zip"), library)
    with pytest.raises(PictureSetError, match="not a name"):
        added(folder_of(photos(), tmp_path / "in"), library, "../out")
    assert library.names() == []


def test_splits_are_rows_of_one_map(library: Library, tmp_path: Path) -> None:
    version = added(folder_of(photos(each=20), tmp_path / "in"), library).version
    data = load(version.key, 0.2)
    assert data.train.pixels.data_ptr() == data.validation.pixels.data_ptr()
    assert torch.equal(data.train.take(torch.tensor([2, 0])), data.train.images[[2, 0]])


@pytest.mark.parametrize(
    "error",
    [
        *(ValueError, SyntaxError, IndexError, KeyError, OverflowError, TypeError, AttributeError, AssertionError),
        *(RuntimeError, NotImplementedError, ZeroDivisionError, EOFError, OSError, StopIteration, RecursionError),
        *(struct.error, zlib.error, lzma.LZMAError, UnicodeError, BufferError, MemoryError),
    ],
)
def test_whatever_a_decoder_raises_refuses_one_file(
    error: type[Exception], library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = ImageFile.ImageFile.load

    def failing(image: ImageFile.ImageFile) -> object:
        if image.size == (41, 43):
            raise error("as nobody expected")
        return load(image)

    monkeypatch.setattr(ImageFile.ImageFile, "load", failing)
    files = photos() | {"cat/odd.png": saved(scene(7).resize((41, 43)))}
    result = added(folder_of(files, tmp_path / "in"), library)
    ((path, reason),) = result.contents.refused
    assert path == "cat/odd.png"
    assert ("memory" if error is MemoryError else "damaged") in reason
    assert len(result.rows) == len(photos())
