"""A dense network against a convolutional one of as many parameters, on the real digits of the sample."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from cnnlab.data.batches import Standardise
from cnnlab.data.datasets import dataset_spec
from cnnlab.data.loading import load
from cnnlab.evaluation.evaluate import evaluate
from cnnlab.learn.dense_vs_conv import (
    FARTHEST,
    Contest,
    Ending,
    ShufflePixels,
    Terms,
    accuracy_by_shift,
    contest,
    contestants,
    dense_twin,
    ink_lost,
    moved,
    parameters,
    probabilities,
)
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.build import build
from cnnlab.networks.presets import PRESETS
from cnnlab.training.loop import fit
from tests.samples import few_digits

pytestmark = pytest.mark.slow

SAMPLE = dataset_spec("mnist-sample")


@pytest.fixture(scope="module")
def plain() -> Contest:
    return run(Terms(ending="pooled", epochs=3))


@pytest.fixture(scope="module")
def without_neighbourhood() -> Contest:
    return run(Terms(ending="pooled", epochs=3, is_shuffled=True))


def run(terms: Terms) -> Contest:
    *_, last = contest(terms, load("mnist-sample"))
    return last


def built_parameters(architecture: Architecture) -> int:
    return sum(tensor.numel() for tensor in build(architecture, SAMPLE.shape, len(SAMPLE.classes)).parameters())


@pytest.mark.parametrize("ending", get_args(Ending))
def test_both_networks_have_as_many_parameters_within_a_hundredth(ending: Ending) -> None:
    dense, convolutional = (built_parameters(found) for found in contestants(ending, SAMPLE).values())
    assert dense == pytest.approx(convolutional, rel=0.01)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_no_other_width_of_the_dense_network_comes_closer(preset: Architecture) -> None:
    twin = dense_twin(preset, SAMPLE)
    target, found = parameters(preset, SAMPLE), parameters(twin, SAMPLE)
    one_unit = 28 * 28 + 1 + 10
    assert abs(found - target) <= one_unit / 2
    assert found == built_parameters(twin)


def test_an_image_moves_by_whole_pixels_and_black_comes_in() -> None:
    image = load("mnist-sample").test.images[:1]
    there = moved(image, 3, -2)
    assert torch.equal(there[..., :-2, 3:], image[..., 2:, :-3])
    assert not there[..., -2:, :].any()
    assert not there[..., :3].any()
    assert torch.equal(moved(image, 0, 0), image)


def test_ink_is_lost_only_over_the_edge() -> None:
    image = torch.zeros(1, 1, 28, 28, dtype=torch.uint8)
    image[..., 2, 14] = 200  # leaves upwards only
    assert ink_lost(image, 2) == 0
    assert ink_lost(image, 3) == 0.25


def test_shuffling_keeps_every_pixel_and_is_the_same_for_all_images() -> None:
    images = load("mnist-sample").test.images[:2].float()
    seen = ShufflePixels(28 * 28)(images)
    assert seen.shape == images.shape
    assert torch.equal(seen.flatten(2).sort().values, images.flatten(2).sort().values)
    order = ShufflePixels(28 * 28).order
    assert all(
        torch.equal(after.flatten(), before.flatten()[order]) for after, before in zip(seen, images, strict=True)
    )


def test_each_network_learns_as_if_it_were_alone() -> None:
    terms, data = Terms(epochs=2), few_digits(train=128)
    *_, last = contest(terms, data)
    for name, architecture in contestants(terms.ending, data.spec).items():
        alone = build(architecture, data.spec.shape, len(data.spec.classes), terms.seed)
        for _ in fit(alone, data, terms.config):
            pass
        together = last.networks[name].state_dict()
        assert all(torch.equal(tensor, together[key]) for key, tensor in alone.cpu().state_dict().items())


def test_accuracy_at_no_shift_is_the_test_accuracy(plain: Contest) -> None:
    data = load("mnist-sample")
    standardise = Standardise(data.spec.mean, data.spec.std)
    for name, network in plain.networks.items():
        assert plain.by_shift[name][0] == pytest.approx(evaluate(network, data.test, standardise).accuracy)
        assert accuracy_by_shift(network, data.test, standardise) == plain.by_shift[name]
    assert {len(curve) for curve in plain.by_shift.values()} == {FARTHEST + 1}


def test_the_convolutional_network_bears_moved_images_far_better(plain: Contest) -> None:
    dense, convolutional = plain.by_shift["dense"], plain.by_shift["convolutional"]
    assert dense[0] > 0.85
    assert convolutional[0] > dense[0]
    assert convolutional[3] > dense[3] + 0.4


def test_shuffled_pixels_cost_the_convolutional_network_its_lead_and_the_dense_one_nothing(
    plain: Contest, without_neighbourhood: Contest
) -> None:
    assert without_neighbourhood.by_shift["dense"][0] == pytest.approx(plain.by_shift["dense"][0], abs=0.02)
    assert without_neighbourhood.by_shift["convolutional"][0] < plain.by_shift["convolutional"][0] - 0.03
    assert without_neighbourhood.by_shift["convolutional"][3] < plain.by_shift["convolutional"][3] - 0.4


def test_training_on_moved_images_helps_the_dense_network_when_they_move(plain: Contest) -> None:
    terms, data = Terms(ending="pooled", augmentation="shift", epochs=3), load("mnist-sample")
    network = build(contestants(terms.ending, data.spec)["dense"], data.spec.shape, len(data.spec.classes), terms.seed)
    for _ in fit(network, data, terms.config):
        pass
    varied = accuracy_by_shift(network.cpu(), data.test, Standardise(data.spec.mean, data.spec.std))
    assert varied[2] > plain.by_shift["dense"][2] + 0.1


def test_probabilities_are_those_of_the_standardised_image(plain: Contest) -> None:
    data = load("mnist-sample")
    image = data.test.images[:1]
    inputs = (image.float() / 255 - data.spec.mean[0]) / data.spec.std[0]
    network = plain.networks["convolutional"]
    with torch.inference_mode():
        expected = network(inputs).softmax(1)
    assert torch.allclose(probabilities(network, image, data), expected, atol=1e-5)
