from __future__ import annotations

import numpy as np
import pytest
from PIL import ImageEnhance

from cnnlab.data.pictures.decoding import decode
from cnnlab.data.pictures.similar import Groups, alike, bursts, findings, grouped, series
from tests.data.pictures.photos import saved, scene


def test_joined_numbers_share_their_smallest() -> None:
    groups = Groups(5)
    groups.join(4, 3)
    groups.join_all([1, 4])
    assert groups.roots() == [0, 1, 2, 1, 1]
    assert groups.several() == [[1, 3, 4]]


def test_near_copies_are_found_and_others_are_not() -> None:
    one, other = scene(1, 200), scene(2, 200)
    near = [one.resize((150, 150)), ImageEnhance.Brightness(one).enhance(1.15), one.crop((4, 4, 197, 198))]
    contents = [saved(one), saved(other), *(saved(image, "JPEG", quality=60) for image in near)]
    read = [decode(content, 48, "crop") for content in contents]
    found = alike(
        [each.digest for each in read], [each.hash for each in read], np.stack([each.pixels for each in read])
    )
    assert found[1].roots() == [0, 1, 0, 0, 0]
    assert found[0].roots() == [0, 1, 2, 3, 4]


def test_findings_tell_classes_and_copies_apart() -> None:
    content = [saved(scene(seed)) for seed in (1, 1, 2, 2, 3, 4)]
    near = saved(scene(3), "JPEG", quality=70)
    read = [decode(each, 40, "crop") for each in (*content, near)]
    found = alike(
        [each.digest for each in read], [each.hash for each in read], np.stack([each.pixels for each in read])
    )
    same, close, copied = findings(found, [0, 1, 0, 0, 1, 1, 1])
    assert (same, close, copied) == ([[0, 1]], [[4, 6]], [[2, 3]])


def test_a_series_of_names_is_a_group_unless_it_is_most_of_a_class() -> None:
    paths = [f"cup/cup {number} ({shot}).jpg" for number in range(5) for shot in (1, 2, 3)]
    assert list(series(paths, ["cup"] * 15)) == [[3 * number + shot for shot in range(3)] for number in range(5)]
    assert list(series([f"cup/shelf_{number:03}.jpg" for number in range(40)], ["cup"] * 40)) == []
    assert list(series(["a/x1.png", "b/x2.png", "b/7.png", "b/8.png"], ["a", "b", "b", "b"])) == []


@pytest.mark.parametrize(
    ("stem", "is_series"),
    [
        ("horse00{}", False),  # called like its class
        ("Horse {}", False),
        ("airplane-{}", False),  # called like another class
        ("golden_retriever_{}", False),
        ("IMG_000{}", False),
        ("DSC0{}", False),
        ("images ({})", False),
        ("frame_{}", True),
        ("IMG_0003 ({})", True),  # shots or copies of one
        ("horse on a hill {}", True),
    ],
)
def test_names_of_classes_and_of_cameras_make_no_series(stem: str, is_series: bool) -> None:
    paths = [f"horse/{stem.format(number)}.jpg" for number in (3, 4)]
    labels = ["horse"] * 2 + ["airplane", "Golden Retriever"]
    assert list(series([*paths, "airplane/a.jpg", "Golden Retriever/b.jpg"], labels)) == [[0, 1]] * is_series


def test_a_series_ends_where_numbers_are_far_apart() -> None:
    paths = [f"cup/shelf_{number}.jpg" for number in (40, 12, 2, 9000, 3, 11)]
    others = [f"cup/{letter}.jpg" for letter in "abcdefghijklmnopqrstuvwx"]
    assert list(series(paths + others, ["cup"] * 30)) == [[1, 2, 4, 5]]
    beyond = [f"cup/shelf_{number}.jpg" for number in ("9" * 400, "1" * 400)]
    assert list(series(beyond, ["cup"] * 2)) == []


def test_shots_within_two_seconds_are_a_burst() -> None:
    assert list(bursts([10.0, None, 12.0, 15.0, 11.0])) == [(0, 4), (4, 2)]


def test_groups_join_all_reasons() -> None:
    near = Groups(7)
    near.join(1, 6)
    assert grouped((Groups(7), near), [[0, 1], (2, 3), [3, 5]]).tolist() == [0, 0, 1, 1, 2, 1, 0]


@pytest.mark.parametrize("fit", ["crop", "pad", "squash"])
def test_pictures_of_one_tone_are_no_error(fit: str) -> None:
    plain = [decode(saved(scene(1).point(lambda _, tone=tone: tone)), 32, fit) for tone in (9, 200)]  # type: ignore[arg-type]
    found = alike(["a", "b"], [one.hash for one in plain], np.stack([one.pixels for one in plain]))
    assert len(found[1].several()) <= 1
