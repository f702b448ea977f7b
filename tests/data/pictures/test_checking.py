from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from cnnlab.data.datasets import own_pictures
from cnnlab.data.pictures.checking import (
    FEW,
    TITLES,
    ClassCount,
    Finding,
    advice,
    check,
    counts,
    known_scenes,
    scene_advice,
)
from tests.data.pictures.photos import added, folder_of, photos, saved, scene, striped
from tests.data.pictures.shots import pixels as plain
from tests.data.pictures.shots import shots


def sharp(seed: int, width: int = 40, height: int = 40) -> Image.Image:
    """Noise over a scene."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Image.blend(scene(seed, 40).resize((width, height)), Image.fromarray(noise), 0.5)


def darker(seed: int) -> Image.Image:
    return sharp(seed).point(lambda tone: int(0.9 * tone))


def flat(tone: int, spread: int = 0) -> bytes:
    tones = np.random.default_rng(tone).integers(tone - spread, tone + spread + 1, (40, 40)).clip(0, 255)
    return saved(Image.fromarray(tones.astype(np.uint8)))


def findings(files: dict[str, bytes], folder: Path) -> dict[str, list[list[str]]]:
    """The files of each group, by finding."""
    version = added(folder_of(files, folder), own_pictures(), size=40).version
    library = own_pictures()
    rows = library.rows(version)
    found = check(version, rows, library.pixels(version), library.features(version))
    assert all(finding.title and finding.advice for finding in found)
    return {found.kind: [[rows[number].path for number in group] for group in found.groups] for found in found}


def ordinary(prefix: str = "") -> dict[str, bytes]:
    return {
        f"{prefix}{name}/{chr(97 + number)}.png": saved(sharp(100 * at + number))
        for at, name in enumerate(("cat", "dog"))
        for number in range(8)
    }


def test_ordinary_pictures_have_no_findings(tmp_path: Path) -> None:
    assert findings(ordinary(), tmp_path) == {}


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("two classes", {"cat/x.png": saved(sharp(7_000)), "dog/y.png": saved(darker(7_000))}),
        ("copies", {"cat/x.png": saved(sharp(7_000)), "cat/y.png": saved(sharp(7_000))}),
        ("near duplicates", {"cat/x.png": saved(sharp(7_000)), "cat/y.png": saved(darker(7_000))}),
        ("blurred", {"cat/x.png": saved(scene(7_000, 40).filter(ImageFilter.GaussianBlur(4)))}),
        ("dark", {"cat/x.png": flat(12, 12)}),
        ("bright", {"cat/x.png": flat(248, 18)}),
        ("plain", {"cat/x.png": flat(120)}),
        ("tiny", {"cat/x.png": saved(sharp(7_000).resize((20, 20)).resize((39, 39), Image.Resampling.NEAREST))}),
        ("odd shape", {"cat/x.png": saved(sharp(7_000, 120, 40))}),
    ],
)
def test_what_is_doubtful_is_found(kind: str, files: dict[str, bytes], tmp_path: Path) -> None:
    found = findings(ordinary() | files, tmp_path)
    together = kind in ("two classes", "copies", "near duplicates")
    assert found == {kind: [list(files)] if together else [[name] for name in files]}


def test_test_pictures_that_are_known_from_training_are_leaks(tmp_path: Path) -> None:
    files = ordinary("train/") | {f"test/{path}": saved(sharp(5_000 + at)) for at, path in enumerate(ordinary())}
    files["test/cat/known.png"] = saved(darker(0))
    assert findings(files, tmp_path)["leaks"] == [["train/cat/a.png", "test/cat/known.png"]]


def test_labels_that_others_contradict_and_odd_pictures_are_found(tmp_path: Path) -> None:
    files = {
        f"{name}/{number:03}x.png": saved(striped(name, number)) for name in ("lying", "up") for number in range(40)
    }
    files |= {"lying/wrong.png": saved(striped("up", 99)), "up/odd.png": saved(Image.new("RGB", (40, 40), "white"))}
    found = findings(files, tmp_path)
    assert found["labels"][0] == ["lying/wrong.png"]
    assert found["unlike"] == [["up/odd.png"]]


def test_shots_of_a_scene_stay_on_one_side_and_it_is_told_what_another_split_would_do(tmp_path: Path) -> None:
    files = {
        f"{name}/{chr(97 + number)}{shot}z.png": saved(Image.fromarray(pixels.transpose(1, 2, 0)))
        for at, name in enumerate(("cat", "dog"))
        for number in range(8)
        for shot, pixels in enumerate(shots(plain(100 * at + number), 4, number))
    }
    version = added(folder_of(files, tmp_path), own_pictures(), size=32).version
    rows = own_pictures().rows(version)
    sides: dict[int, set[str]] = {}
    for row in rows:
        sides.setdefault(row.group, set()).add(row.split)
    assert all(len(splits) == 1 for splits in sides.values())
    known, test = known_scenes(rows)
    assert known > 0.7 * test
    (line,) = scene_advice(rows)
    assert f"{known} of {test} test pictures would show a scene" in line
    ordinary_rows = own_pictures().rows(
        added(folder_of(ordinary(), tmp_path / "other"), own_pictures(), "other").version
    )
    assert scene_advice(ordinary_rows) == []


def test_shots_of_a_scene_in_explicit_test_folders_are_possible_leaks(tmp_path: Path) -> None:
    files = ordinary("train/") | {f"test/{path}": saved(sharp(5_000 + at)) for at, path in enumerate(ordinary())}
    first, second = (saved(Image.fromarray(shot.transpose(1, 2, 0))) for shot in shots(plain(9), 2, 5))
    found = findings(files | {"train/cat/y.png": first, "test/cat/z.png": second}, tmp_path)
    assert ["train/cat/y.png", "test/cat/z.png"] in found["scene leaks"]


def test_every_kind_has_its_words() -> None:
    for kind, words in TITLES.items():
        assert (Finding(kind, ((1, 2), (3,))).title, Finding(kind, ()).advice) == words
    assert Finding("copies", ((1, 2), (3,))).pictures == [1, 2, 3]


def test_classes_are_counted_and_advice_names_small_and_uneven_ones(tmp_path: Path) -> None:
    version = added(folder_of(photos(each=6), tmp_path), own_pictures()).version
    found = counts(version, own_pictures().rows(version))
    assert [(one.name, one.total) for one in found] == [("cat", 6), ("dog", 6)]
    assert f"Fewer than {FEW} pictures: cat (6), dog (6)" in advice(found)[0]
    uneven = [ClassCount("cat", 90, 10), ClassCount("dog", 20, 5)]
    assert ["4.0 times" in line for line in advice(uneven)] == [True]
    assert advice([ClassCount("cat", 90, 10), ClassCount("dog", 80, 10)]) == []
