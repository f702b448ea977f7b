from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cnnlab.data.mapping import MappedRows
from cnnlab.data.pictures.version import (
    PictureSetError,
    Row,
    Version,
    digest_of,
    map_pixels,
    read_info,
    read_rows,
    split_of,
    write_rows,
)

ROWS = [
    Row("cat/a, b.png", 0, "train", 0, 0, 9, 8, "d" * 24, 2**64 - 1, 0, 0, ""),
    Row('dog/"x"\n.png', 1, "train", 2, 1, 9, 8, "e" * 24, 0, 5, 6, "turned upright"),
    Row("dog/é.png", 1, "test", 1, 2, 9, 8, "f" * 24, 7, 0, 0, ""),
]
VERSION = Version(
    name="pets",
    number=1,
    title="Pets",
    classes=("cat", "dog"),
    channels=1,
    size=8,
    fit="crop",
    train=2,
    test=1,
    mean=(0.5,),
    std=(0.2,),
    digest="0123456789abcdef",
    pixels="pixels-0123456789abcdef.safetensors",
)


def test_a_table_is_read_as_it_was_written() -> None:
    assert read_rows(write_rows(ROWS), VERSION) == ROWS


@pytest.mark.parametrize(
    "text",
    ["", "path\na\n", write_rows(ROWS[:2]), write_rows(ROWS).replace(",train,", ",valid,"), write_rows(ROWS) + "x\n"],
)
def test_a_table_that_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(PictureSetError):
        read_rows(text, VERSION)


def test_what_a_version_holds_is_read_as_it_was_written() -> None:
    assert read_info(VERSION.model_dump_json().encode(), "it") == VERSION
    assert (VERSION.key, str(VERSION), VERSION.shape) == ("pets@1:01234567", "Pets (version 1)", (1, 8, 8))
    for change in (
        {"pixels": "../x.safetensors"},
        {"extends": ["../x.safetensors"]},
        {"classes": ["one"]},
        {"size": 10**6},
        {"name": "../x"},
    ):
        content = VERSION.model_copy(update=change).model_dump_json(warnings=False).encode()
        with pytest.raises(PictureSetError, match="damaged"):
            read_info(content, "it")


def test_the_digest_follows_all_that_a_network_sees() -> None:
    known = digest_of(ROWS, VERSION.classes, VERSION.pixels)
    assert known == digest_of(ROWS, VERSION.classes, VERSION.pixels)
    others = [
        digest_of(ROWS[:2], VERSION.classes, VERSION.pixels),
        digest_of(ROWS, ("cat", "cow"), VERSION.pixels),
        digest_of(ROWS, VERSION.classes, "pixels-0.safetensors"),
    ]
    assert len({known, *others}) == 4


def test_a_split_is_rows_of_the_pixels(tmp_path: Path) -> None:
    (tmp_path / "pixels").write_bytes(bytes(range(3)))
    pixels = MappedRows(tmp_path / "pixels", torch.uint8, (3, 1, 1, 1))
    train, test = (split_of(ROWS, name, pixels) for name in ("train", "test"))
    assert train.images.flatten().tolist() == [0, 2]
    assert train.labels.tolist() == [0, 1]
    assert train.groups is not None
    assert train.groups.tolist() == [0, 1]
    assert train.pixels.data_ptr() == test.pixels.data_ptr() == pixels.rows.data_ptr()
    assert test.images.flatten().tolist() == [1]


def test_missing_pixels_are_told_of(tmp_path: Path) -> None:
    with pytest.raises(PictureSetError, match="missing or damaged"):
        map_pixels(tmp_path / "pixels.safetensors", (1, 8, 8))
