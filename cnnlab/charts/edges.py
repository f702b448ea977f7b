"""A filter's feature maps: in two colours, and as histograms over two groups of images."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from cnnlab.charts.png import Picture
from cnnlab.charts.style import Numbers, framed
from cnnlab.palette import PALETTE

POSITIVE, NEGATIVE = (47, 111, 222), (214, 69, 61)  # zero is clear, so that it reads on light and dark
BINS = 40


def coloured(values: Numbers, limit: float, side: int = 168) -> Picture:
    """Colour a feature map, (H, W) → (H·k, W·k, 4): blue above zero, red below, clear at zero, full at ±``limit``."""
    pixels = np.empty((*values.shape, 4), np.uint8)
    pixels[..., :3] = np.where(values[..., None] < 0, NEGATIVE, POSITIVE)
    pixels[..., 3] = np.clip(np.abs(values) / (limit or 1.0), 0, 1) * 255
    factor = max(1, side // max(values.shape))
    return pixels.repeat(factor, 0).repeat(factor, 1)


def two_histograms(
    groups: tuple[Numbers, Numbers], names: tuple[str, str], threshold: float, quantity: str
) -> go.Figure:
    """Plot histograms of ``quantity`` for two groups, (N,) and (M,), with the threshold between them."""
    both = np.concatenate(groups)
    low, high = float(both.min()), float(both.max())
    width = (high - low) / BINS or 1.0
    bins = {"start": low, "end": high + width, "size": width}
    figure = go.Figure(
        [
            go.Histogram(
                x=values,
                name=name,
                xbins=bins,
                marker={"color": colour},
                opacity=0.65,
                hovertemplate="%{x}: %{y} images<extra>" + name + "</extra>",
            )
            for values, name, colour in zip(groups, names, PALETTE, strict=False)
        ]
    )
    figure.add_vline(threshold, line={"dash": "dash", "color": PALETTE[8]}, annotation_text=f"{threshold:.3f}")
    figure.update_xaxes(title=quantity)
    figure.update_yaxes(title="images")
    return framed(figure.update_layout(barmode="overlay"))
