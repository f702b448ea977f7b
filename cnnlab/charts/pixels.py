"""Maps and features as plain pixels, for pages that show many of them."""

from __future__ import annotations

from math import ceil

import numpy as np

from cnnlab.charts.png import Picture
from cnnlab.charts.style import NEGATIVE, POSITIVE, Numbers
from cnnlab.charts.tiles import scale_of


def tile_row(tiles: Numbers, side: int = 56) -> Picture:
    """Render maps (N, height, width) in a row of RGBA pixels (side, W, 4), coloured as by ``feature_map_grid``.

    Of maps larger than ``side``, pixels are left out.
    """
    step = max(1, ceil(max(tiles.shape[1:]) / side))
    tiles = tiles[:, ::step, ::step]
    *_, high = scale_of(tiles)
    zoom = max(1, side // max(tiles.shape[1:]))
    large = _coloured(tiles / high).repeat(zoom, 1).repeat(zoom, 2)  # (N, H, W, 4)
    gap = np.zeros((*large.shape[:2], max(2, zoom // 4), 4), np.uint8)  # transparent
    return np.concatenate([part for tile, between in zip(large, gap, strict=True) for part in (tile, between)], 1)


def tile_column(tiles: Numbers, side: int = 112) -> Picture:
    """Render maps (N, height, width) below one another as RGBA pixels (N · height, width, 4), as ``tile_row`` does.

    They are not enlarged; of maps larger than ``side``, pixels are left out.
    """
    step = max(1, ceil(max(tiles.shape[1:]) / side))
    *_, high = scale_of(tiles)
    kept = tiles[:, ::step, ::step] / high
    return _coloured(kept).reshape(-1, kept.shape[2], 4)


def bar_column(values: Numbers, height: int = 360, width: int = 56) -> Picture:
    """Render features (N,) as bars below one another, RGBA pixels (height, width, 4): blue above zero, red below.

    Of more features than ``height`` has rows, each row shows the largest of some neighbours.
    """
    rows = np.linspace(0, len(values), height, endpoint=False).astype(int)  # the first feature of each row
    groups = np.split(values, rows[1:]) if len(values) > height else [values[row : row + 1] for row in rows]
    shown = np.array([group[np.abs(group).argmax()] for group in groups])
    low, high = min(0.0, float(shown.min())), max(0.0, float(shown.max()))
    scale = width / ((high - low) or 1.0)
    zero = -low * scale
    ends = zero + shown * scale
    places = np.arange(width) + 0.5
    inside = (places > np.minimum(zero, ends)[:, None]) & (places < np.maximum(zero, ends)[:, None])  # (height, width)
    thick = height // len(values)
    if thick > 3:  # pixels, so that a gap between two bars leaves something of them
        inside[np.flatnonzero(np.diff(rows, append=len(values)))] = False
    return _coloured(np.where(inside, np.sign(shown)[:, None], 0.0))


def _coloured(values: Numbers) -> Picture:
    """Return values in −1…1 as RGBA pixels, as DIVERGING has them: the colour by the sign, as strong as the value."""
    above, below = ([int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in (POSITIVE, NEGATIVE))
    colours = np.where(values[..., None] >= 0, above, below)  # (…, 3)
    strengths = (np.abs(values) * 255).round()[..., None]
    return np.concatenate([colours, strengths], -1).astype(np.uint8)
