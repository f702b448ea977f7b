from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cnnlab.data.batches import Standardise, batches, prepared_batches, scaling, split_joining_single
from cnnlab.data.datasets import DATASETS
from cnnlab.data.splits import Split


def test_batches_cover_every_image_once_in_the_generators_order() -> None:
    split = Split(torch.arange(10, dtype=torch.uint8).view(10, 1, 1, 1), torch.arange(10))
    plain = list(batches(split, 4))
    assert [len(labels) for _, labels in plain] == [4, 4, 2]
    assert torch.cat([labels for _, labels in plain]).tolist() == list(range(10))

    def shuffled(seed: int) -> list[int]:
        drawn = list(batches(split, 4, torch.Generator().manual_seed(seed)))
        assert all(torch.equal(images.flatten().long(), labels) for images, labels in drawn)
        return [int(label) for _, labels in drawn for label in labels]

    assert sorted(shuffled(0)) == list(range(10))
    assert shuffled(0) == shuffled(0) != shuffled(1)


def test_images_come_in_the_order_that_is_asked_for() -> None:
    split = Split(torch.arange(4, dtype=torch.uint8).view(4, 1, 1, 1), torch.tensor([5, 6, 7, 8]))
    drawn = batches(split, 3, torch.Generator(), order=lambda labels, _: torch.tensor([3, 3, 0, 1]))
    assert [labels.tolist() for _, labels in drawn] == [[8, 8, 5], [6]]


@pytest.mark.parametrize("size", [1, 3, 4, 100])
def test_prepared_batches_are_the_same_batches_made_ready_several_at_once(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnnlab.data.batches.PREPARED_AT_ONCE", 6)
    split = Split(torch.arange(10, dtype=torch.uint8).view(10, 1, 1, 1), torch.arange(10))
    calls = []

    def double(images: Tensor, labels: Tensor) -> Tensor:
        assert torch.equal(images.flatten().long(), labels)
        calls.append(len(labels))
        return images.float() * 2

    made = list(prepared_batches(split, size, torch.Generator().manual_seed(0), double))
    plain = list(batches(split, size, torch.Generator().manual_seed(0)))
    assert [labels.tolist() for _, labels in made] == [labels.tolist() for _, labels in plain]
    assert all(torch.equal(inputs.flatten(), labels * 2.0) for inputs, labels in made)
    assert len(calls) == {1: 2, 3: 2, 4: 3, 100: 1}[size]


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [1]), (3, [3]), (4, [4]), (5, [3, 2]), (6, [3, 3]), (7, [3, 4]), (13, [3, 3, 3, 4])]
)
def test_a_single_last_image_joins_the_batch_before_it(count: int, sizes: list[int]) -> None:
    parts = split_joining_single(torch.arange(count), 3)
    assert [len(part) for part in parts] == sizes
    assert torch.cat(list(parts)).tolist() == list(range(count))


def test_a_single_last_image_joins_also_where_several_batches_are_prepared_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cnnlab.data.batches.PREPARED_AT_ONCE", 6)
    split = Split(torch.arange(13, dtype=torch.uint8).view(13, 1, 1, 1), torch.arange(13))
    draws = torch.Generator().manual_seed(0)
    made = list(prepared_batches(split, 3, draws, lambda images, _: images.float(), split_joining_single))
    assert [len(labels) for _, labels in made] == [3, 3, 3, 4]
    assert all(inputs.flatten().tolist() == labels.tolist() for inputs, labels in made)
    assert sorted(int(label) for _, labels in made for label in labels) == list(range(13))


def test_standardise_takes_each_channels_own_mean_and_deviation() -> None:
    standardise = Standardise((0.5, 0.0), (0.25, 2.0))
    out = standardise(torch.ones(1, 2, 1, 1))
    assert out.flatten().tolist() == [2.0, 0.5]


def test_scaling_follows_the_config() -> None:
    spec = DATASETS["cifar10"]
    assert scaling(spec, "standard") == (spec.mean, spec.std)
    assert scaling(spec, "unit") == ((0, 0, 0), (1, 1, 1))
    assert scaling(spec, "symmetric") == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
