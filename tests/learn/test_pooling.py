from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnlab.learn.pooling import Pool, border, pooled, window
from cnnlab.networks.layers import AdaptivePool2d, AvgPool2d, LayerError, MaxPool2d

SIZE = (6, 7)
GRID = torch.randint(-9, 10, SIZE, generator=torch.Generator().manual_seed(0)).float()
SLIDING: list[dict[str, Any]] = [
    {"kernel_size": kernel, "stride": stride, "padding": padding, "ceil_mode": ceil_mode}
    for kernel, stride, padding, ceil_mode in product((1, 2, 3, 4), (1, 2, 3, 4), (0, 1, 2), (False, True))
    if padding <= kernel // 2
]


def check(pool: Pool, reference: nn.Module) -> None:
    """Outputs, their number and every window's own arithmetic are those of PyTorch's module."""
    expected: Tensor = reference(GRID[None])[0]
    assert torch.equal(pooled(pool, GRID), expected)
    assert pool.output_shape((1, *SIZE), 1) == (1, *expected.shape)
    for place in product(range(expected.shape[0]), range(expected.shape[1])):
        assert window(pool, SIZE, place).answer(GRID) == pytest.approx(expected[place].item(), abs=1e-5)


@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_every_window_of_a_max_pool_gives_what_pytorch_gives(dilation: int) -> None:
    checked = 0
    for arguments in SLIDING:
        pool = MaxPool2d(**arguments, dilation=dilation)
        if dilation * (arguments["kernel_size"] - 1) >= min(SIZE) + 2 * arguments["padding"]:
            continue
        check(pool, nn.MaxPool2d(**arguments, dilation=dilation))
        checked += 1
    assert checked >= 40


@pytest.mark.parametrize("counts", [True, False])
def test_every_window_of_an_average_pool_gives_what_pytorch_gives(counts: bool) -> None:
    for arguments in SLIDING:
        pool = AvgPool2d(**arguments, count_include_pad=counts)
        check(pool, nn.AvgPool2d(**arguments, count_include_pad=counts))


@pytest.mark.parametrize("size", range(1, 7))
def test_every_window_of_an_adaptive_pool_gives_what_pytorch_gives(size: int) -> None:
    check(AdaptivePool2d(output_size=size), nn.AdaptiveAvgPool2d(size))
    check(AdaptivePool2d(output_size=size, pool="max"), nn.AdaptiveMaxPool2d(size))


def test_the_largest_cell_is_the_one_that_gets_the_gradient() -> None:
    pool, grid = MaxPool2d(kernel_size=3, stride=2, padding=1), torch.randn(SIZE, requires_grad=True)
    pooled(pool, grid)[1, 2].backward()
    assert grid.grad is not None
    assert torch.nonzero(grid.grad).tolist() == [list(window(pool, SIZE, (1, 2)).largest(grid))]


def test_a_window_knows_its_cells_in_the_padding() -> None:
    pool = AvgPool2d(kernel_size=2, padding=1)
    corner = window(pool, SIZE, (0, 0))
    assert corner.cells == ((-1, -1), (-1, 0), (0, -1), (0, 0))
    assert corner.inside == ((0, 0),)
    assert corner.divisor == 4
    assert border(pool) == (1, 1)


def test_a_window_that_does_not_fit_is_refused_as_pytorch_refuses_it() -> None:
    with pytest.raises(LayerError, match="half its 2×2 window"):
        pooled(MaxPool2d(kernel_size=2, padding=2), GRID)
    with pytest.raises(RuntimeError, match="half"):
        nn.MaxPool2d(2, padding=2)(GRID[None])
