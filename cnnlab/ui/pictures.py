"""Images on a page: the wall of digits, the picker of a test image, enlarged pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import streamlit as st
import torch
from torch import Tensor

from cnnlab.data import Split
from cnnlab.runs import Run

Picture = npt.NDArray[np.uint8]


def enlarged(image: Tensor, side: int = 224) -> Picture:
    """(C, H, W) uint8 → (H·k, W·k, C) with whole, sharp pixels, about ``side`` high."""
    pixels = image.permute(1, 2, 0).numpy()  # (C, H, W) → (H, W, C)
    factor = max(1, side // pixels.shape[0])
    return pixels.repeat(factor, 0).repeat(factor, 1)


def digit_wall(split: Split, rows: int = 6, columns: int = 10) -> Picture:
    """One class a column, dark on light: (rows · H, columns · W)."""
    walls = [split.images[split.labels == label][:rows].flatten(0, 2) for label in range(columns)]  # (rows · H, W)
    return 255 - enlarged(torch.cat(walls, dim=1)[None], side=3 * len(walls[0]))[..., 0]


def pick_image(run: Run, split: Split, key: str) -> int:
    """Choose a test image by class and number; its index in the split."""
    summary = run.summary
    left, right = st.columns(2)
    with left:
        label = st.selectbox("Class", list(summary.classes), key=f"{key}.class", persist_state="session")
    members = (split.labels == summary.classes.index(label)).nonzero().flatten().tolist()
    with right:
        number = st.number_input(f"Image, 1 to {len(members)}", 1, len(members), key=f"{key}.number.{label}")
    return int(members[number - 1])
