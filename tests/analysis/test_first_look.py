from __future__ import annotations

from collections.abc import Sequence

import pytest
from torch import Tensor

from cnnlab.analysis.first_look import Eye, FirstLook, Vote, is_enough
from cnnlab.drawings.strokes import DrawingError
from tests.data.pictures.photos import saved, scene, striped

COLLECTED = {name: [saved(striped(name, seed), "JPEG") for seed in range(5)] for name in ("up", "flat")}


@pytest.fixture(scope="module")
def eye() -> Eye:
    return Eye()


@pytest.mark.parametrize("name", COLLECTED)
def test_five_pictures_of_each_class_name_another(name: str, eye: Eye) -> None:
    vote = FirstLook(eye).vote(saved(striped(name, 99), "JPEG"), COLLECTED)
    assert vote.said == name
    assert vote.is_sure
    assert vote.voters == 5


def test_each_picture_is_looked_at_once_and_forgotten_when_it_is_removed(
    eye: Eye, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[bytes] = []
    features = eye.features

    def noted(files: Sequence[bytes]) -> list[Tensor]:
        looked_at.extend(files)
        return features(files)

    monkeypatch.setattr(eye, "features", noted)
    look, seen, fewer = FirstLook(eye), saved(scene(1), "JPEG"), {"up": COLLECTED["up"], "flat": COLLECTED["flat"][:4]}
    for collected in (COLLECTED, COLLECTED, fewer, COLLECTED):
        look.vote(seen, collected)
    assert len([file for file in looked_at if file != seen]) == 10 + 1


def test_pictures_of_any_size_are_compared(eye: Eye) -> None:
    seen = saved(striped("up", 7).resize((300, 200)), "JPEG")
    assert FirstLook(eye).vote(seen, COLLECTED).said == "up"


def test_what_is_no_picture_is_refused(eye: Eye) -> None:
    with pytest.raises(DrawingError):
        FirstLook(eye).vote(b"no picture", COLLECTED)


def test_votes_that_are_divided_are_not_sure() -> None:
    assert not Vote("a", {"a": 2, "b": 2, "c": 1}).is_sure
    assert Vote("a", {"a": 3, "b": 2}).is_sure


def test_two_classes_need_five_pictures() -> None:
    assert is_enough(COLLECTED)
    assert not is_enough({"up": COLLECTED["up"], "flat": COLLECTED["flat"][:4]})
