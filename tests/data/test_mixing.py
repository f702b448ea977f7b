from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnlab.data.mixing import mixed

IMAGES = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 3, 8, 10).contiguous()  # each image full of its number
LABELS = torch.tensor([2, 0, 1, 2])
CLASSES = 3


def mix(mixup: float, cutmix: float, seed: int = 0) -> tuple[Tensor, Tensor]:
    return mixed(IMAGES, LABELS, CLASSES, mixup, cutmix, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("mixup", "cutmix"), [(0.5, 0.0), (0.0, 1.0)])
def test_a_label_counts_by_the_share_of_its_image(mixup: float, cutmix: float, seed: int) -> None:
    images, targets = mix(mixup, cutmix, seed)
    share = images[1].mean()  # of the ones, mixed with the noughts before them
    expected = share * torch.eye(CLASSES)[LABELS] + (1 - share) * torch.eye(CLASSES)[LABELS.roll(1)]
    assert torch.allclose(targets, expected, atol=1e-6)
    assert torch.allclose(targets.sum(1), torch.ones(4))
    assert torch.equal(IMAGES[:, 0, 0, 0], torch.arange(4.0))  # which stay as they were


def test_mixup_blends_whole_images_and_cutmix_pastes_a_rectangle() -> None:
    blended, _ = mix(1.0, 0.0)
    assert blended[1].min() == blended[1].max()
    cut = next(images for seed in range(9) if 0 < (images := mix(0.0, 1.0, seed)[0])[1].mean() < 1)
    assert set(cut[1].unique().tolist()) == {0, 1}
    rows, columns = (cut[1, 0] == 0).nonzero().unbind(1)
    assert len(rows) == (rows.max() - rows.min() + 1) * (columns.max() - columns.min() + 1)


def test_a_batch_takes_either_where_both_are_on() -> None:
    kinds = [len(mix(1.0, 1.0, seed)[0][1].unique()) == 1 for seed in range(60)]  # a rectangle may cover all or nothing
    assert 20 < sum(kinds) < 50


@pytest.mark.parametrize("alpha", [0.2, 1.0, 5.0])
def test_shares_are_of_a_beta_distribution(alpha: float) -> None:
    shares = torch.stack([mix(alpha, 0.0, seed)[0][1].mean() for seed in range(500)])
    assert shares.mean() == pytest.approx(0.5, abs=0.06)
    assert shares.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.2)


def test_an_image_without_another_stays_as_it_is() -> None:
    images, targets = mixed(IMAGES[:1], LABELS[:1], CLASSES, 1.0, 0.0, np.random.default_rng(0))
    assert torch.allclose(images, IMAGES[:1])
    assert torch.allclose(targets, torch.eye(CLASSES)[LABELS[:1]])
