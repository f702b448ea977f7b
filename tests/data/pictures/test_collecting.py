from __future__ import annotations

import pytest

from cnnlab.data.pictures import collecting
from cnnlab.data.pictures.collecting import CollectingError, Collection, cleaned, same_name
from tests.data.pictures.photos import scene

FILES = [b"a", b"bc"]


def filled(*names: str) -> Collection:
    collection = Collection()
    for number, name in enumerate(names):
        collection.rename(number, name)
        collection.add_burst(number, FILES, scene(number))
    return collection


def test_pictures_lie_in_folders_by_class_and_burst() -> None:
    collection = filled("cup", "ball")
    collection.add_burst(0, [b"d"], scene(9))
    source = collection.source("the camera")
    paths = [file.path for file in source.files()]
    assert paths == ["ball/burst-3/0003.jpg", "ball/burst-3/0004.jpg", "cup/0002.jpg"] + [
        f"cup/burst-1/000{number}.jpg" for number in (0, 1)
    ]
    assert [source.read(path) for path in paths] == [*FILES, b"d", *FILES]


def test_classes_of_one_name_are_one_and_a_class_without_a_name_is_called_by_its_number() -> None:
    assert not filled("cup", "cup").is_ready
    collection = filled("cup", "")
    assert collection.is_ready
    assert {file.path.partition("/")[0] for file in collection.source("x").files()} == {"cup", "class 2"}


def test_two_classes_with_pictures_are_needed() -> None:
    assert not Collection().is_ready
    assert not filled("cup").is_ready


@pytest.mark.parametrize(
    ("name", "is_now"), [("a/b", "a-b"), (" ..x. ", "x"), ("line\nbreak\u202e", "line break"), ("n" * 99, "n" * 80)]
)
def test_names_become_names_of_folders(name: str, is_now: str) -> None:
    assert cleaned(name) == is_now


def test_what_is_collected_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    collection = filled("cup", "ball")
    with pytest.raises(CollectingError, match="at once: 101"):
        collection.add_burst(0, [b""] * 101, scene(0))
    monkeypatch.setattr(collecting, "MAX_PICTURES", 5)
    with pytest.raises(CollectingError, match="5 pictures"):
        collection.add_burst(0, FILES, scene(0))
    monkeypatch.undo()
    monkeypatch.setattr(collecting, "MAX_BYTES", 8)
    with pytest.raises(CollectingError, match="remove some"):
        collection.add_burst(0, [*FILES, b"x"], scene(0))
    assert collection.count == 4
    for _ in range(collecting.MAX_CLASSES - 2):
        collection.add_class()
    with pytest.raises(CollectingError, match="upload a ZIP"):
        collection.add_class("none")


def test_pictures_wait_from_the_first_burst_until_the_last_is_removed() -> None:
    collection = Collection()
    assert not collection.waits
    collection.add_burst(0, FILES, scene(0))
    assert collection.waits
    collection.remove_burst(0)
    assert not collection.waits


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["Mug", "mug"], "mug"),
        (["mug", "plate", " Mug "], "Mug"),
        (["cup", "cup"], "cup"),
        (["straße", "STRASSE"], "STRASSE"),
        (["A", "a"], ""),
        (["a", "a "], "a"),
        (["", "", "cup"], ""),
        (["cup", "cups"], ""),
    ],
)
def test_names_that_people_read_as_one_are_found(names: list[str], found: str) -> None:
    assert same_name(names) == found


def test_a_class_without_a_name_is_called_by_its_number_once_it_has_pictures() -> None:
    assert filled("", "cup").names == ["class 1", "cup"]
    assert Collection().names == []
