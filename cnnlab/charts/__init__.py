"""Plotly figures from histories and arrays; one palette, fractions shown as percent."""

from cnnlab.charts.classes import class_changes, per_class_bars, per_class_points, probability_bars
from cnnlab.charts.comparison import cost_and_accuracy, overlaid_curves, parallel_coordinates
from cnnlab.charts.evaluation import class_intervals, confusion, reliability, trade_off, with_intervals
from cnnlab.charts.inside import embedding, lines, overlay, spread, strokes
from cnnlab.charts.pixels import bar_column, tile_column, tile_row
from cnnlab.charts.style import DIVERGING, MAX_POINTS, ON_WHITE, SEQUENTIAL, Plot
from cnnlab.charts.tiles import boxed_photo, feature_map_grid, filter_grid, photo, picture, tile_strip
from cnnlab.charts.training import LIVE_SECONDS, Stem, curve, learning_rate_ramp, live
from cnnlab.palette import PALETTE

__all__ = [
    "DIVERGING",
    "LIVE_SECONDS",
    "MAX_POINTS",
    "ON_WHITE",
    "PALETTE",
    "SEQUENTIAL",
    "Plot",
    "Stem",
    "bar_column",
    "boxed_photo",
    "class_changes",
    "class_intervals",
    "confusion",
    "cost_and_accuracy",
    "curve",
    "embedding",
    "feature_map_grid",
    "filter_grid",
    "learning_rate_ramp",
    "lines",
    "live",
    "overlaid_curves",
    "overlay",
    "parallel_coordinates",
    "per_class_bars",
    "per_class_points",
    "photo",
    "picture",
    "probability_bars",
    "reliability",
    "spread",
    "strokes",
    "tile_column",
    "tile_row",
    "tile_strip",
    "trade_off",
    "with_intervals",
]
