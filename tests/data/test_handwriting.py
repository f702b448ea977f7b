from __future__ import annotations

import pytest
import torch

from cnnlab.data.datasets import DATASETS
from cnnlab.data.handwriting import drawing_images, with_labelled_drawings
from cnnlab.data.spec import DatasetError
from cnnlab.drawings.preprocess import prepare, stroke_ink
from tests.samples import few_digits, lesson


def test_lessons_are_drawings_as_a_network_is_asked_about_them() -> None:
    lessons = [lesson("7"), lesson("1", 0.3)]
    split = drawing_images(lessons, DATASETS["mnist-sample"])
    assert torch.equal(split.images, torch.cat([prepare(stroke_ink(one)) for one in lessons]))
    assert split.labels.tolist() == [7, 1]
    assert drawing_images(lessons, DATASETS["usps"]).images.shape == (2, 1, 16, 16)


@pytest.mark.parametrize(("share", "copies"), [(0.2, 20), (0.5, 80), (0.9, 720)])
def test_lessons_in_turn_are_their_share_of_the_training_images(share: float, copies: int) -> None:
    plain, lessons = few_digits(train=80), [lesson("7"), lesson("1"), lesson("4")]
    mixed = with_labelled_drawings(plain, lessons, share)
    assert torch.equal(mixed.train.images[:80], plain.train.images)
    added = mixed.train.labels[80:]
    assert len(added) == copies
    assert max(added.bincount()[[7, 1, 4]]) - min(added.bincount()[[7, 1, 4]]) <= 1
    assert mixed.validation is plain.validation
    assert mixed.test is plain.test


def test_every_lesson_is_taught_however_many_there_are() -> None:
    mixed = with_labelled_drawings(few_digits(train=10), [lesson("7", number / 100) for number in range(40)], 0.1)
    assert len(mixed.train) == 50


@pytest.mark.parametrize(
    ("name", "label", "words"),
    [
        ("mnist-sample", "x", "has no class 'x': label drawings 0, 1"),
        ("fashion-mnist", "7", "no drawn characters"),
        ("cifar10", "cat", "no drawn characters"),
    ],
)
def test_lessons_that_a_data_set_does_not_take_are_refused_in_one_line(name: str, label: str, words: str) -> None:
    with pytest.raises(DatasetError, match=words) as refusal:
        drawing_images([lesson(label)], DATASETS[name])
    assert "\n" not in str(refusal.value)
