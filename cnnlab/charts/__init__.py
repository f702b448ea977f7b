"""Plotly figures from histories and arrays; one palette, fractions shown as percent."""

from cnnlab.charts.classes import per_class_bars, per_class_points, probability_bars
from cnnlab.charts.inside import embedding, layer_lines, overlay, spread
from cnnlab.charts.style import BRIGHTNESS, DIVERGING, MAX_POINTS, PALETTE
from cnnlab.charts.tiles import feature_map_grid, filter_grid, photo, picture, tile_row, tile_strip
from cnnlab.charts.training import LIVE_SECONDS, curve, learning_rate_ramp, live, overlaid_curves

__all__ = [
    "BRIGHTNESS",
    "DIVERGING",
    "LIVE_SECONDS",
    "MAX_POINTS",
    "PALETTE",
    "curve",
    "embedding",
    "feature_map_grid",
    "filter_grid",
    "layer_lines",
    "learning_rate_ramp",
    "live",
    "overlaid_curves",
    "overlay",
    "per_class_bars",
    "per_class_points",
    "photo",
    "picture",
    "probability_bars",
    "spread",
    "tile_row",
    "tile_strip",
]
