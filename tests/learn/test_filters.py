"""Named filters, and telling digits apart by one number of their answers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnlab.learn.filters import FILTERS, MEASURES, answers, fitted, part
from cnnlab.learn.sample_images import digits, scene


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("rectified", [False, True])
def test_answers_are_what_nn_conv2d_gives(name: str, rectified: bool) -> None:
    for images in (digits(1)[:4], scene()[None]):
        layer = nn.Conv2d(images.shape[1], 1, 3, bias=False).requires_grad_(False)
        layer.weight[:] = FILTERS[name].kernel
        real = nn.Sequential(layer, nn.ReLU())(images) if rectified else layer(images)
        torch.testing.assert_close(answers(images, fitted(FILTERS[name].kernel, images.shape[1]), rectified), real)


def test_a_filter_for_colour_sees_grey_as_three_equal_channels() -> None:
    kernel, grey = torch.randn(3, 5, 5), digits(2)[:2]
    torch.testing.assert_close(answers(grey, fitted(kernel, 1)), answers(grey.expand(-1, 3, -1, -1), kernel))


def test_edge_filters_answer_to_their_edges_only() -> None:
    upright = torch.zeros(1, 1, 9, 9)
    upright[..., 4:] = 1
    for name, turned in (("vertical", upright), ("horizontal", upright.mT)):
        assert MEASURES["strongest"](answers(turned, fitted(FILTERS[name].kernel, 1))).item() == 3
        assert MEASURES["strongest"](answers(turned.mT, fitted(FILTERS[name].kernel, 1))).item() == 0


@pytest.mark.parametrize("measure", MEASURES)
def test_no_threshold_parts_two_digits_better_than_the_one_found(measure: str) -> None:
    kernel = fitted(FILTERS["vertical"].kernel, 1)
    first, second = (MEASURES[measure](answers(digits(label), kernel)) for label in (1, 2))
    found = part(first, second)
    assert found.count == len(first) + len(second)
    assert found.right == found.hits(first, second) > found.count / 2
    for threshold in torch.cat([first, second]).unique():
        below = int((first < threshold).sum()) + int((second >= threshold).sum())
        assert max(below, found.count - below) <= found.right


def test_digits_are_told_apart_whichever_comes_first() -> None:
    low, high = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([4.0, 5.0])
    for first, second in ((low, high), (high, low)):
        found = part(first, second)
        assert (found.right, found.threshold) == (5, 3.5)
        assert found.hits(torch.cat([first, first]), second) == len(first) * 2 + len(second)
    assert part(low, low).right == 3


def test_the_horizontal_edge_filter_parts_1_from_2_better_than_the_vertical_one() -> None:
    rights = []
    for name in ("vertical", "horizontal"):
        kernel = fitted(FILTERS[name].kernel, 1)
        numbers = [MEASURES["mean"](answers(digits(label), kernel)) for label in (1, 2)]
        rights.append(part(numbers[0], numbers[1]).right)
    assert 0.7 * 810 < rights[0] < rights[1]
