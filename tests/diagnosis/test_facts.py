from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from cnnlab.data.loading import load
from cnnlab.data.splits import Split
from cnnlab.diagnosis.facts import DataFacts

TRAIN = load("mnist-sample").train


def test_digits_agree_with_their_nearest_neighbours() -> None:
    facts = DataFacts.of(TRAIN, 10)
    assert sum(facts.counts) == len(TRAIN)
    assert facts.chance == pytest.approx(0.1, abs=0.01)
    assert facts.kappa > 0.8


def test_labels_in_another_order_agree_by_chance_alone() -> None:
    order = torch.randperm(len(TRAIN), generator=torch.Generator().manual_seed(0))
    assert abs(DataFacts.of(replace(TRAIN, labels=TRAIN.labels[order]), 10).kappa) < 0.05


def test_large_pictures_of_one_class_are_compared_too() -> None:
    pictures = torch.randint(0, 256, (5, 3, 64, 48), dtype=torch.uint8)
    facts = DataFacts.of(Split(pictures, torch.zeros(5, dtype=torch.int64)), 1)
    assert (facts.counts, facts.agreement, facts.kappa) == ((5,), 1.0, 1.0)
