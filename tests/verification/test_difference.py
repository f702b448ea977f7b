from __future__ import annotations

from dataclasses import replace
from math import nan
from typing import Any

import pytest
import torch
from torch import Tensor

from cnnlab.verification.difference import DiffersError, compare_records, compare_tensors
from tests.samples import EPOCH, STEP

ONE = {"weight": torch.tensor([[1.0, 0.0], [nan, 2.0]]), "count": torch.tensor(3)}


def test_the_same_bits_are_the_same() -> None:
    compare_tensors(1, "weights", ONE, {name: tensor.clone() for name, tensor in ONE.items()})


@pytest.mark.parametrize(
    ("changed", "figure"),
    [
        ({"weight": torch.tensor([[1.0, 0.0], [nan, 2.0000002]])}, "weights weight, value 4 of 4"),
        ({"weight": torch.tensor([[1.0, -0.0], [nan, 2.0]])}, "weights weight, value 2 of 4"),
        ({"weight": torch.tensor([[1.0, 0.0], [nan, nan]])}, "weights weight, value 4 of 4"),
        ({"weight": torch.tensor([1.0, 0.0, nan, 2.0])}, "type of weights weight"),
        ({"weight": torch.tensor([[1.0, 0.0], [nan, 2.0]]).double()}, "type of weights weight"),
        ({"count": torch.tensor(4)}, "weights count, value 1 of 1"),
        ({"more": torch.tensor(4)}, "names of weights"),
    ],
    ids=str,
)
def test_another_bit_is_told(changed: dict[str, Tensor], figure: str) -> None:
    with pytest.raises(DiffersError) as error:
        compare_tensors(1, "weights", ONE | changed, ONE)
    assert error.value.difference.figure == figure


def test_a_layout_in_memory_is_no_difference() -> None:
    images = torch.rand(2, 3, 4, 4)
    compare_tensors(1, "weights", {"x": images.contiguous(memory_format=torch.channels_last)}, {"x": images})


def test_times_and_speeds_are_no_difference() -> None:
    compare_records(1, replace(EPOCH, seconds=9.0, images_per_second=nan), EPOCH)
    compare_records(1, replace(STEP, images_per_second=0.0), STEP)


@pytest.mark.parametrize(
    "fields", [{"train_loss": 0.99}, {"train_loss": nan}, {"step": 31}, {"per_class": (1.0, 0.5)}], ids=str
)
def test_any_other_figure_of_a_record_is_one(fields: dict[str, Any]) -> None:
    with pytest.raises(DiffersError) as error:
        compare_records(1, replace(EPOCH, **fields), EPOCH)
    assert next(iter(fields)) in error.value.difference.figure


def test_a_record_that_is_missing_is_one() -> None:
    with pytest.raises(DiffersError, match="step 8: the run says nothing"):
        compare_records(1, None, STEP)
