from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch

from cnnlab.analysis.ood import GATE_BOUND, NO_CLASS, TORN, UNLIKE, TrainingFeatures, no_digit, read
from cnnlab.data.loading import load
from cnnlab.drawings.non_digits import sample_non_digit
from cnnlab.drawings.preprocess import prepare, stroke_ink
from cnnlab.runs.run import Run
from cnnlab.runs.trained import Trained, load_trained
from cnnlab.training.run_data import load_for
from tests.samples import SEVEN


@pytest.fixture(scope="module")
def trained(finished_run: Run) -> Trained:
    return load_trained(finished_run)


@pytest.fixture(scope="module")
def familiar(finished_run: Run, trained: Trained) -> TrainingFeatures:
    return TrainingFeatures.of(trained, load_for(finished_run.config), finished_run.config)


def test_a_reading_tells_the_likeliest_class_and_all_probabilities(trained: Trained) -> None:
    reading = read(trained, prepare(stroke_ink(SEVEN)))
    assert sum(reading.probabilities) == pytest.approx(1, abs=1e-5)
    assert reading.certainty == max(reading.probabilities)
    assert trained.classes[reading.probabilities.index(reading.certainty)] == reading.name


def test_the_gate_lets_digits_pass_and_stops_junk() -> None:
    images = load("mnist-sample").test.images
    draws = random.Random(7)  # other junk than it learned from
    pieces = torch.cat([prepare(sample_non_digit(draws)) for _ in range(200)])
    assert (no_digit(images) > GATE_BOUND).float().mean() < 0.02
    assert (no_digit(pieces) > GATE_BOUND).float().mean() > 0.9


def test_few_of_the_data_sets_own_images_are_doubted(trained: Trained, familiar: TrainingFeatures) -> None:
    images = load("mnist-sample").test.images[:200]
    doubts = [read(trained, image[None], familiar).doubt for image in images]
    assert sum(doubt == UNLIKE for doubt in doubts) <= 6


def test_what_lies_farther_than_the_bound_is_unlike_what_it_learned_from(
    trained: Trained, familiar: TrainingFeatures
) -> None:
    image = load("mnist-sample").test.images[:1]
    strict, lax = (replace(familiar, far=far, torn=9.0) for far in (0.0, 2.1))  # the largest distance there is is 2
    assert read(trained, image, strict).doubt == UNLIKE
    assert not read(trained, image, lax).doubt


def test_a_network_that_learned_nothing_is_torn(finished_run: Run) -> None:
    untrained = load_trained(finished_run, epoch=0)
    image = load("mnist-sample").test.images[:1]
    probabilities = untrained.probabilities(image)
    assert torch.special.entr(probabilities).sum() > TORN
    first, second = (untrained.classes[number] for number in probabilities[0].topk(2).indices)
    assert read(untrained, image).doubt == f"torn between {first} and {second}"


def test_a_suspicion_comes_before_other_reasons(trained: Trained) -> None:
    assert read(trained, prepare(stroke_ink(SEVEN)), suspicion="a blot").doubt == "a blot"


def test_a_network_of_photos_doubts_what_no_class_fits(trained: Trained, familiar: TrainingFeatures) -> None:
    image = load("mnist-sample").test.images[:1]
    assert read(trained, image, replace(familiar, far=2.1, torn=9.0, faint=1e9)).doubt == NO_CLASS
    assert not read(trained, image, replace(familiar, far=2.1, torn=9.0)).doubt


def test_a_class_of_none_is_said_in_words_and_not_doubted(trained: Trained, familiar: TrainingFeatures) -> None:
    image = load("mnist-sample").test.images[:1]
    only_none = replace(trained, classes=("None",) * 10)
    reading = read(only_none, image, replace(familiar, far=0.0))
    assert (reading.name, reading.said, reading.doubt) == ("None", "none of the classes", "")
    assert read(trained, image).said == read(trained, image).name
