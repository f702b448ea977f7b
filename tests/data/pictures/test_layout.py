from __future__ import annotations

from collections import Counter

import pytest

from cnnlab.data.pictures.layout import LayoutError, Position, check_classes, is_litter, positions, read_labels


@pytest.mark.parametrize(
    ("path", "label", "split"),
    [
        ("cat/a.jpg", "cat", ""),
        ("My Photos/cat/a.jpg", "cat", ""),
        ("all/of/them/cat/a.jpg", "cat", ""),
        ("cat/summer/2025/a.jpg", "cat", ""),
        ("train/cat/a.jpg", "cat", "train"),
        ("set/Train/cat/a.jpg", "cat", "train"),
        ("val/cat/a.jpg", "cat", "train"),
        ("x/test/cat/old/a.jpg", "cat", "test"),
    ],
)
def test_the_first_folder_below_what_holds_all_is_the_class(path: str, label: str, split: str) -> None:
    sibling = path.replace("cat", "dog")
    assert positions([path, sibling])[path] == Position(label, split)


def test_a_folder_named_test_among_classes_is_a_class() -> None:
    found = positions(["test/a.png", "train/b.png", "bus/c.png"])
    assert {position.label for position in found.values()} == {"test", "train", "bus"}


def test_pictures_beside_the_folders_have_no_class() -> None:
    assert set(positions(["loose.png", "cat/a.png", "dog/a.png"])) == {"cat/a.png", "dog/a.png"}


def test_without_folders_or_a_table_it_says_how_to_lay_them_out() -> None:
    with pytest.raises(LayoutError, match=r"one folder per class.*CSV"):
        positions(["a.png", "b.png"])


@pytest.mark.parametrize(
    "table",
    [
        "filename,label\na.png,cat\nb.png,dog\n",
        "id;x;breed\na;1;cat\nb;2;dog\n",
        "0\ta.png\tcat\n1\tb.png\tdog\n",
        "\ufefffile,note,class\nimages/a.png,ok,cat\nimages/b.png,ok,dog\nimages/gone.png,ok,dog\n",
    ],
)
def test_a_table_names_files_and_labels(table: str) -> None:
    found = read_labels(table.encode(), ["images/a.png", "images/b.png"], "")
    assert found == {"images/a.png": "cat", "images/b.png": "dog"}


@pytest.mark.parametrize("content", [b"", b"one column\n", b"\xff\xfe\x00", b"x,y\n1,2\n"])
def test_other_tables_are_none_of_labels(content: bytes) -> None:
    assert read_labels(content, ["a.png"], "") is None


@pytest.mark.parametrize(
    "path", [".DS_Store", "cat/Thumbs.db", "__MACOSX/cat/._a.png", "a/desktop.ini", ".git/x.png", "cat/.hidden.png"]
)
def test_what_systems_leave_is_litter(path: str) -> None:
    assert is_litter(path)
    assert not is_litter(f"cat/a{path.replace('/', '').replace('.', '')}.png")


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({}, "see the report"),
        ({"cat": 9}, "only one class"),
        ({"cat": 9, "dog": 2, "cow": 1}, "fewer than 3 pictures in 'cow', 'dog'"),
        ({str(number): 3 for number in range(1001)}, "at most 1,000"),
    ],
)
def test_classes_that_cannot_be_trained_on_are_refused_with_advice(counts: dict[str, int], told: str) -> None:
    with pytest.raises(LayoutError, match=told):
        check_classes(Counter(counts))
