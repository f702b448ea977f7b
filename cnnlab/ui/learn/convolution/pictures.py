"""The choice of an image: two digits of the sample, a colour scene, or an upload."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from PIL import Image
from torch import Tensor

from cnnlab.learn.sample_images import digits, scene
from cnnlab.ui.shell import frame
from cnnlab.ui.widgets.bounds import whole_number
from cnnlab.ui.widgets.image_file import ask_for_file, read_or_say

_DIGITS, _SCENE, _UPLOAD = "Two digits", "Colour scene", "Upload"
_LONGEST = 32  # pixels of an upload's longer side: small enough to show all products of three channels
_GREY = (0.299, 0.587, 0.114)  # perceived brightness of red, green and blue (ITU-R BT.601)
_KEY = "learn.convolution"


@dataclass(frozen=True)
class Pictures:
    """The chosen images."""

    images: list[Tensor]  # each (C, H, W) in 0…1
    titles: list[str]
    looks_at: int = 0  # index of the one under the window
    digits: tuple[int, int] | None = None  # their classes if they are digits

    def looked_at(self) -> Tensor:
        """Return the image under the window."""
        return self.images[self.looks_at]


def pick_pictures() -> Pictures | None:
    """Choose images; show what to do next and return None where there are none."""
    source = st.segmented_control(
        "Picture",
        [_DIGITS, _SCENE, _UPLOAD],
        default=_DIGITS,
        required=True,
        key=f"{_KEY}.source",
        persist_state="session",
    )
    if source == _DIGITS:
        return _two_digits()
    image = scene() if source == _SCENE else _uploaded()
    if image is None:
        return None
    if not st.toggle("In colour", value=True, key=f"{_KEY}.colour", persist_state="session"):
        image = (image * torch.tensor(_GREY).view(3, 1, 1)).sum(0, keepdim=True)
    return Pictures([image], ["The scene" if source == _SCENE else "Your picture"])


def _two_digits() -> Pictures | None:
    found = [_digit("First", 1), _digit("Second", 2)]
    chosen = [(label, image) for label, image in found if image is not None]
    if len(chosen) < len(found):
        return None
    names = [frame.with_article(label) for label, _ in chosen]
    titles = [f"{place}: {name}" for place, name in zip(("First", "Second"), names, strict=True)]
    looks_at = st.segmented_control(
        "Under the window",
        [0, 1],
        format_func=titles.__getitem__,
        default=0,
        required=True,
        key=f"{_KEY}.looks_at",
        persist_state="session",
    )
    classes = chosen[0][0], chosen[1][0]
    return Pictures([image for _, image in chosen], titles, int(looks_at or 0), classes)


def _digit(place: str, first: int) -> tuple[int, Tensor | None]:
    """Choose a class and one of its images (1, 28, 28), None where there is none of that number."""
    with st.container(horizontal=True):
        label = st.selectbox(
            f"{place} digit", range(10), index=first, key=f"{_KEY}.digit.{place}", persist_state="session", width=140
        )
        images = digits(label)
        number = whole_number(
            f"Which of {len(images)}",
            1,
            len(images),
            width=140,
            value=1,
            key=f"{_KEY}.number.{place}.{label}",
            persist_state="session",
        )
    return label, None if number is None else images[number - 1]


def _uploaded() -> Tensor | None:
    """Load an upload, scaled down: (3, H, W)."""
    file = ask_for_file("An image", f"{_KEY}.upload")
    if file is None:
        st.info(f"Choose an image file: it is scaled to {_LONGEST} pixels.", icon=":material/upload:")
        return None
    image = read_or_say(file)
    if image is None:
        return None
    scale = _LONGEST / max(image.size)
    width, height = (max(8, round(side * scale)) for side in image.size)
    pixels = np.array(image.resize((width, height), Image.Resampling.BOX))  # (H, W, 3)
    return torch.from_numpy(pixels).permute(2, 0, 1).float() / 255
