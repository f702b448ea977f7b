from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import pytest
import torch
from torch import Tensor

from cnnlab.data import augmentation
from cnnlab.data.augmentation import AUGMENTATIONS, DIGITS, choose
from cnnlab.data.datasets import DATASETS
from cnnlab.data.loading import load
from cnnlab.training.config import RunConfig

TRAIN = load("mnist-sample").train
PIXELS, LABELS = TRAIN.images[::5].float() / 255, TRAIN.labels[::5]
LETTERS = tuple("abcdefghij")


def augment(name: str, seed: int = 0, classes: tuple[str, ...] = DIGITS) -> Tensor:
    return AUGMENTATIONS[name](PIXELS, LABELS, classes, torch.Generator().manual_seed(seed))


def test_every_choice_of_a_config_and_a_data_set_is_there() -> None:
    assert {"auto", "mild", *AUGMENTATIONS} == set(get_args(RunConfig.model_fields["augmentation"].annotation))
    assert {spec.augmentation for spec in DATASETS.values()} <= set(AUGMENTATIONS)


@pytest.mark.parametrize(
    ("wanted", "own", "chosen"),
    [
        ("auto", "handwriting", "handwriting"),
        ("auto", "flip", "flip"),
        ("mild", "handwriting", "affine"),
        ("mild", "flip", "flip"),
        ("none", "flip", "none"),
    ],
)
def test_the_data_sets_own_stands_for_auto_and_mild_leaves_out_handwriting(wanted: str, own: str, chosen: str) -> None:
    assert choose(wanted, own) == AUGMENTATIONS[chosen]


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_images_stay_images_and_the_generator_decides(name: str) -> None:
    before = PIXELS.clone()
    out = augment(name)
    assert out.shape == PIXELS.shape
    assert out.min() >= 0
    assert out.max() <= 1 + 1e-6
    assert torch.equal(PIXELS, before)
    assert torch.equal(out, augment(name))
    assert torch.equal(out, augment(name, seed=1)) == (name == "none")
    # Ink is moved and bent, not lost: the mean brightness stays about the same.
    assert out.mean().item() == pytest.approx(PIXELS.mean().item(), rel=0.3)


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 32, 32), (3, 64, 64)])
def test_every_size_and_channel_count_is_taken(name: str, shape: tuple[int, int, int]) -> None:
    pixels, labels = torch.rand(12, *shape), torch.arange(12) % 10
    out = AUGMENTATIONS[name](pixels, labels, DIGITS, torch.Generator().manual_seed(0))
    assert out.shape == pixels.shape


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 64, 64)])
def test_bytes_become_the_same_images_as_numbers(name: str, shape: tuple[int, int, int]) -> None:
    images, labels = torch.randint(0, 256, (12, *shape), dtype=torch.uint8), torch.arange(12) % 10
    of_bytes, of_numbers = (
        AUGMENTATIONS[name](pixels, labels, DIGITS, torch.Generator().manual_seed(0))
        for pixels in (images, images.float() / 255)
    )
    assert torch.equal(augmentation.unit(of_bytes), of_numbers)


def test_shift_moves_by_at_most_8_percent() -> None:
    spot = torch.zeros(200, 1, 25, 25)
    spot[:, :, 12, 12] = 1
    out = AUGMENTATIONS["shift"](spot, torch.zeros(200), LETTERS, torch.Generator().manual_seed(0))
    rows = (out.sum(3) * torch.arange(25)).sum(2).flatten() / out.sum((1, 2, 3))
    assert (rows - 12).abs().max() <= 0.08 * 25 + 1e-3
    assert rows.std() > 0.5


def test_flip_mirrors_about_half() -> None:
    left = torch.zeros(400, 1, 20, 20)
    left[..., :5] = 1
    out = AUGMENTATIONS["flip"](left, torch.zeros(400), LETTERS, torch.Generator().manual_seed(0))
    mirrored = out[..., 10:].sum((1, 2, 3)) > out[..., :10].sum((1, 2, 3))
    assert 0.4 < mirrored.float().mean() < 0.6


def test_big_images_are_moved_by_whole_pixels_of_up_to_8_percent_and_about_half_mirrored() -> None:
    columns, rows = torch.arange(100.0), torch.arange(200.0)[:, None]
    image = torch.stack([columns.expand(200, 100), rows.expand(200, 100)])  # tells where each pixel comes from
    moved = AUGMENTATIONS["flip"](image.repeat(400, 1, 1, 1), torch.zeros(400), (), torch.Generator().manual_seed(0))
    mirrored = moved[:, 0, 0, 50] > moved[:, 0, 0, 51]
    assert 150 < mirrored.sum() < 250
    upright = torch.where(mirrored.view(-1, 1, 1, 1), moved.flip(3), moved)
    for channel, side, along in ((0, 100, upright[:, 0, 0]), (1, 200, upright[:, 1, :, 0])):
        most = 0.08 * side
        shifts = along[:, side // 2] - side // 2
        assert {*shifts.tolist()} == {*range(-round(most), round(most) + 1)}, channel
        assert torch.equal(along, (torch.arange(side) + shifts[:, None]).clamp(0, side - 1)), channel
    still = AUGMENTATIONS["shift"](image[None], torch.zeros(1), (), torch.Generator().manual_seed(0))
    assert (still[0, 0, 0, 50] < still[0, 0, 0, 51]).all()


def test_erase_greys_a_rectangle_of_about_half() -> None:
    grid = torch.linspace(0.2, 0.8, 40).expand(400, 1, 40, 40).contiguous()
    out = AUGMENTATIONS["erase"](grid, torch.zeros(400), LETTERS, torch.Generator().manual_seed(0))
    # Across the image brightness rises or falls at every place, but where it was erased.
    flat = (out[..., 1:] - out[..., :-1]).abs() < 1e-4
    share = flat[:, 0, 6:34, 6:33].float().mean((1, 2))
    assert 0.3 < (share > 0).float().mean() < 0.6
    assert share.max() < 0.5


def middle_ink(images: Tensor) -> float:
    return images[:, :, 12:16, 12:16].mean().item()


def inked_columns(images: Tensor) -> float:
    return (images.amax(2) > 0.3).float().sum(2).mean().item()


@pytest.mark.parametrize("known_at_once", [("cpu",), ()], ids=["cpu", "gpu"])
@pytest.mark.parametrize(("digit", "measure", "least"), [(0, middle_ink, 1.5), (1, inked_columns, 1.15)])
def test_handwriting_draws_on_digits_only_where_classes_are_digits(
    digit: int,
    measure: Callable[[Tensor], float],
    least: float,
    known_at_once: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(augmentation, "_KNOWN_AT_ONCE", known_at_once)
    drawn, plain = (measure(augment("handwriting", classes=c)[digit == LABELS]) for c in (DIGITS, LETTERS))
    assert drawn > least * plain
