from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from cnnlab.data.torchvision_compat import transforms
from cnnlab.data.trivial_augment import CHANGES, trivial_augment

PHOTOS = torch.randint(0, 256, (6, 3, 12, 12), generator=torch.Generator().manual_seed(0)) / 255
STRENGTHS = torch.tensor([-1, -0.6, -0.1, 0, 0.4, 1])
BY_NAME = {change.__name__.removeprefix("_"): change for change in CHANGES}

_f = transforms.functional


def test_the_fourteen_changes_of_the_paper_are_there() -> None:
    assert len(BY_NAME) == 14
    colours = {"brightness", "colour", "contrast", "sharpness", "posterize", "solarize", "autocontrast", "equalize"}
    assert set(BY_NAME) == {"identity", "shear_x", "shear_y", "translate_x", "translate_y", "rotate", *colours}


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("name", BY_NAME)
def test_a_change_leaves_pixels_in_their_range_and_its_input_as_it_was(name: str, channels: int) -> None:
    pixels = torch.rand(6, channels, 9, 12)
    before = pixels.clone()
    out = BY_NAME[name](pixels, STRENGTHS)
    assert out.shape == pixels.shape
    assert out.min() >= 0
    assert out.max() <= 1 + 1e-6
    assert torch.equal(pixels, before)


@pytest.mark.parametrize("name", [name for name in BY_NAME if name not in ("autocontrast", "equalize")])
def test_without_strength_nothing_changes(name: str) -> None:
    close = 1 / 256 if name == "posterize" else 1e-5  # which rounds to 8 bits
    assert torch.allclose(BY_NAME[name](PHOTOS, torch.zeros(6)), PHOTOS, atol=close)


@pytest.mark.parametrize("number", range(len(STRENGTHS)))
@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("brightness", _f.adjust_brightness),
        ("colour", _f.adjust_saturation),
        ("contrast", _f.adjust_contrast),
        ("sharpness", _f.adjust_sharpness),
    ],
)
def test_blends_are_torchvisions(name: str, known: Callable[[Tensor, float], Tensor], number: int) -> None:
    strength = STRENGTHS[number]
    expected = known(PHOTOS[number], 1 + 0.99 * strength.item())
    assert torch.allclose(BY_NAME[name](PHOTOS, STRENGTHS)[number], expected, atol=2e-3)


def test_autocontrast_is_torchvisions() -> None:
    dull = PHOTOS * 0.3 + 0.2
    assert torch.allclose(BY_NAME["autocontrast"](dull, STRENGTHS), _f.autocontrast(dull), atol=1e-5)


def test_equalize_spreads_brightnesses_evenly() -> None:
    dark = (torch.rand(6, 3, 64, 64) ** 3 * 255).round() / 255
    out = BY_NAME["equalize"](dark, STRENGTHS)
    assert out.amin((2, 3)).eq(0).all()
    assert out.amax((2, 3)).eq(1).all()
    assert (out.mean((2, 3)) - 0.5).abs().max() < 0.1 < (dark.mean((2, 3)) - 0.5).abs().max()
    known = _f.equalize((dark * 255).round().to(torch.uint8)) / 255
    assert (out - known).abs().mean() < 0.02


def test_each_image_has_a_change_of_its_own_that_the_generator_decides() -> None:
    same = torch.rand(1, 3, 12, 12).expand(300, -1, -1, -1)
    out = trivial_augment(same, torch.Generator().manual_seed(0))
    assert torch.equal(out, trivial_augment(same, torch.Generator().manual_seed(0)))
    assert 200 < len(out.flatten(1).unique(dim=0)) < 300
