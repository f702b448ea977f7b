"""The preparation of a drawing for the network, step by step."""

from __future__ import annotations

import streamlit as st
import torch

from cnnlab.charts.png import inline
from cnnlab.drawings.preprocess import THICKNESS, Ink, Preparation
from cnnlab.ui.widgets.images import enlarged

SIDE = 140  # pixels of an image


def show_steps(steps: Preparation) -> None:
    """Show the images side by side, each with a description of its step."""
    height, width = steps.image.shape[2:]
    told = {
        "Cropped": steps.cropped,
        f"Strokes scaled to MNIST's thickness: {steps.thickness:.1f} → {THICKNESS} of 28 pixels": steps.evened,
        f"Scaled and centred by mass: the {width}×{height} pixels the network gets": steps.image[0, 0].numpy(),
    }
    st.markdown("**From the canvas to the network**")
    for place, (what, ink) in zip(st.columns(len(told)), told.items(), strict=True):
        with place:
            st.image(inline(enlarged(_square(ink), SIDE)), alt=what, width=SIDE)
            st.caption(what)


def _square(ink: Ink) -> torch.Tensor:
    """Pad (H, W) to (1, S, S), with the ink in the middle."""
    side = max(ink.shape)
    square = torch.zeros(1, side, side, dtype=torch.uint8)
    top, left = (side - ink.shape[0]) // 2, (side - ink.shape[1]) // 2
    square[0, top : top + ink.shape[0], left : left + ink.shape[1]] = torch.from_numpy(ink.copy())
    return square
