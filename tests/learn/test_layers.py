from __future__ import annotations

from itertools import product
from math import exp, log

import pytest
import torch
from torch import nn

from cnnlab.data.loading import load
from cnnlab.learn.layers import (
    BatchNorm,
    Running,
    activate,
    drop,
    flatten,
    judge,
    lowest_after_softmax,
    mean_of_many_draws,
    normalise,
    piece_of_a_digit,
)
from cnnlab.networks.layers import MODULES

BATCH = torch.tensor([[1.0, -2.0, 5.0], [3.0, 4.0, 5.5], [2.5, 0.0, 4.0], [-1.0, 1.0, 7.0]])
LOGITS = torch.tensor([2.0, 0.5, -1.0, 1.0])


def test_a_piece_of_a_digit_lies_in_a_test_image_where_there_is_ink_and_paper() -> None:
    images = load("mnist-sample").test.images
    piece = piece_of_a_digit(6, 4, len(images) + 3)
    assert piece.shape == (6, 4)
    assert piece.min() == 0
    assert piece.max() > 0.9
    places = (images[3, 0].float() / 255).unfold(0, 6, 1).unfold(1, 4, 1)
    assert (places - piece).abs().amax(dim=(2, 3)).min() < 0.0051


@pytest.mark.parametrize("function", MODULES)
def test_a_slope_is_how_much_the_output_moves_with_the_input(function: str) -> None:
    numbers = torch.tensor([-4.0, -1.5, -0.3, 0.2, 1.0, 3.5])
    outputs, slopes = activate(function, numbers)  # type: ignore[arg-type]
    assert torch.equal(outputs, getattr(nn, MODULES[function])()(numbers))  # type: ignore[index]
    step = 1e-2
    ahead, behind = (activate(function, numbers + by)[0] for by in (step, -step))  # type: ignore[arg-type]
    assert torch.allclose(slopes, (ahead - behind) / (2 * step), atol=1e-3)


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_written_out_gives_what_pytorch_gives(training: bool) -> None:
    running = Running((0.5, -1.0, 4.0), (2.0, 0.3, 1.5), batches=3)
    for weight, bias, eps in product((1.0, -0.5), (0.0, 0.7), (1e-5, 0.1)):
        norm = BatchNorm(training, weight, bias, eps)
        fed = normalise(BATCH, norm, running)
        for row, channel in product(range(4), range(3)):
            answer = norm.answer(BATCH[row, channel].item(), fed.mean[channel].item(), fed.variance[channel].item())
            assert fed.outputs[row, channel].item() == pytest.approx(answer, rel=1e-4, abs=1e-5)


def test_running_statistics_move_as_those_of_one_module_fed_batch_after_batch() -> None:
    module, running = nn.BatchNorm1d(3, momentum=0.3), Running.fresh(3)
    for _ in range(4):
        module(BATCH)
        running = normalise(BATCH, BatchNorm(momentum=0.3), running).running
    assert running.batches == 4
    assert running.mean == pytest.approx(module.get_buffer("running_mean").tolist())
    assert running.variance == pytest.approx(module.get_buffer("running_var").tolist())
    once = normalise(BATCH, BatchNorm(momentum=0.3), Running.fresh(3)).running
    assert once.variance == pytest.approx((0.7 + 0.3 * BATCH.var(0, correction=1)).tolist())


def test_batch_norm_in_evaluation_learns_nothing_and_uses_what_it_knows() -> None:
    running = Running((1.0, 2.0, 3.0), (4.0, 4.0, 4.0), batches=2)
    fed = normalise(BATCH, BatchNorm(training=False, eps=1e-12), running)
    assert fed.running == running
    assert torch.allclose(fed.outputs, (BATCH - torch.tensor([1.0, 2.0, 3.0])) / 2)


def test_dropout_zeroes_some_and_scales_the_others() -> None:
    numbers = torch.full((20, 20), 3.0)
    dropped = drop(numbers, 0.25, seed=1)
    assert set(dropped.unique().tolist()) == {0.0, 4.0}
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.08)
    assert torch.equal(dropped, drop(numbers, 0.25, seed=1))
    assert not torch.equal(dropped, drop(numbers, 0.25, seed=2))
    assert torch.equal(drop(numbers, 0.25, seed=1, training=False), numbers)


def test_many_draws_keep_the_mean() -> None:
    numbers = torch.arange(24.0).view(4, 6)
    assert mean_of_many_draws(numbers, 0.5) == pytest.approx(numbers.mean().item(), rel=0.02)


def test_a_machine_leaves_torchs_own_generator_where_it_was() -> None:
    before = torch.get_rng_state()
    drop(BATCH, 0.5, seed=3)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("start", range(4))
def test_flatten_keeps_the_numbers_in_the_order_of_the_axes(start: int) -> None:
    shape = (2, 3, 4, 2)
    batch, flat = flatten(shape, start)
    assert flat.flatten().tolist() == list(range(48))
    assert flat.shape == (*shape[:start], torch.Size(shape[start:]).numel())
    assert batch[1, 2, 3, 1] == 1 * 24 + 2 * 8 + 3 * 2 + 1


@pytest.mark.parametrize(("label", "temperature", "smoothing"), [*product(range(4), (0.5, 1.0, 5.0), (0.0, 0.1, 0.5))])
def test_loss_and_gradient_are_what_softmax_written_out_gives(label: int, temperature: float, smoothing: float) -> None:
    judged = judge(LOGITS, label, temperature, smoothing)
    powers = [exp(logit / temperature) for logit in LOGITS.tolist()]
    probabilities = [power / sum(powers) for power in powers]
    target = [(1 - smoothing) * (place == label) + smoothing / 4 for place in range(4)]
    assert judged.probabilities.tolist() == pytest.approx(probabilities)
    assert judged.target.tolist() == pytest.approx(target)
    assert judged.loss == pytest.approx(-sum(y * log(p) for y, p in zip(target, probabilities, strict=True)), rel=1e-5)
    expected = [(p - y) / temperature for y, p in zip(target, probabilities, strict=True)]
    assert judged.gradient.tolist() == pytest.approx(expected, abs=1e-6)


def test_a_softmax_too_many_flattens_the_gradient_and_holds_the_loss_up() -> None:
    sure = torch.tensor([30.0, 0.0, 0.0, 0.0])
    judged = judge(sure, 0)
    assert judged.loss < 1e-6
    assert judged.loss_after_softmax == pytest.approx(lowest_after_softmax(4), abs=1e-5)
    assert lowest_after_softmax(4) == pytest.approx(-log(exp(1) / (exp(1) + 3)))
    wrong = judge(sure, 1)
    assert wrong.gradient_after_softmax.norm() < 1e-6 < wrong.gradient.norm()
