from __future__ import annotations

import base64
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from io import BytesIO
from itertools import pairwise

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from PIL import Image
from plotly.colors import sample_colorscale

from cnnlab import charts
from cnnlab.charts.classes import MOST_BARS
from cnnlab.charts.style import ERROR, NEGATIVE, POSITIVE, VALIDATION
from cnnlab.charts.tiles import LINE, PHONE
from cnnlab.training.events import RateChange
from cnnlab.training.history import History
from tests.conftest import ROOT
from tests.samples import EPOCH, STEP


def history(epochs: int = 3, steps: int = 9) -> History:
    made = History()
    for step in range(1, steps + 1):
        made.add(replace(STEP, step=step, epoch=step * epochs / steps, loss=1 / step))
    for epoch in range(1, epochs + 1):
        made.add(replace(EPOCH, epoch=epoch, validation_accuracy=epoch / epochs))
    return made


def drawn_curve(history: History, metric: str, log: bool = False) -> go.Figure:
    """A curve as plotly accepts it, which pages do not ask."""
    return go.Figure(charts.curve(history, metric, log=log))


@pytest.mark.parametrize(("metric", "title"), [("loss", "Loss (cross-entropy)"), ("accuracy", "Accuracy")])
def test_curves_carry_the_historys_numbers(metric: str, title: str) -> None:
    shown = history()
    batches, train, validation = drawn_curve(shown, metric).data
    assert list(batches.y) == [step[metric] for step in shown.steps]
    assert list(train.x) == [1, 2, 3]
    assert list(validation.y) == [epoch[f"validation_{metric}"] for epoch in shown.epochs]
    assert drawn_curve(shown, metric).layout.title.text == title
    assert drawn_curve(shown, metric).layout.xaxis.title.text == "epoch"


def test_close_accuracies_have_ticks_that_differ() -> None:
    table = pd.DataFrame({"Class": ["0"], "Accuracy": [0.994], "Low": [0.992], "High": [0.995]})
    for figure in (
        drawn_curve(history(), "accuracy"),
        charts.overlaid_curves({"a": curve(0.991, 0.994)}, "accuracy", "epoch"),
        charts.class_intervals(table),
        charts.per_class_points({"a": {"0": 0.994}}, "accuracy"),
    ):
        assert figure.layout.yaxis.tickformat == ".2~%"  # 99.15 %, 99.2 %, 100 %


def test_no_accuracy_axis_goes_far_beyond_all() -> None:
    assert drawn_curve(history(), "accuracy").layout.yaxis.autorangeoptions.clipmax == pytest.approx(1, abs=0.02)
    assert drawn_curve(history(), "loss").layout.yaxis.autorangeoptions.clipmax is None


@pytest.mark.parametrize("steps", [1, 999, 1000, 1001, 54_321])
def test_a_line_is_thinned_but_keeps_its_ends(steps: int) -> None:
    x = drawn_curve(history(steps=steps), "loss").data[0].x
    assert len(x) <= charts.MAX_POINTS
    assert x[-1] == 3
    assert x[0] == pytest.approx(3 / steps)


def test_a_small_loss_is_seen_on_a_logarithmic_axis_and_accuracy_has_none() -> None:
    made = history()
    axis = drawn_curve(made, "loss", log=True).layout.yaxis
    assert axis.type == "log"
    assert [float(text) for text in axis.ticktext] == pytest.approx(axis.tickvals)
    assert min(axis.tickvals) <= 1 / 9
    assert drawn_curve(made, "accuracy", log=True).layout.yaxis.type is None
    assert drawn_curve(History(), "loss", log=True).layout.yaxis.tickvals is None


@pytest.mark.parametrize("log", [False, True])
def test_lines_are_labelled_at_their_ends_apart_from_one_another(log: bool) -> None:
    shown = {name: curve(0.9, 0.5 + number / 1000) for number, name in enumerate("abcd")}
    figure = charts.overlaid_curves(shown, "loss", "epoch", log=log)
    assert [note.text for note in figure.layout.annotations] == ["<b>1</b>", "<b>2</b>", "<b>3</b>", "<b>4</b>"]
    assert {note.font.color for note in figure.layout.annotations} == {line.line.color for line in figure.data}
    shifts = [note.yshift for note in figure.layout.annotations]
    assert all(above - below >= 12 for below, above in pairwise(shifts))
    ends = [math.log10(line.y[-1]) if log else line.y[-1] for line in figure.data]
    assert [note.y for note in figure.layout.annotations] == pytest.approx(ends)


def test_a_band_stays_above_zero_on_a_logarithmic_axis() -> None:
    band, _ = charts.overlaid_curves({"a": curve(0.4, 0.6, runs=3, sd=1.0)}, "loss", "epoch", log=True).data
    assert min(band.y) > 0


def test_a_branch_has_its_parents_line_and_marks_of_rates_set_by_hand() -> None:
    branch = history()
    branch.add(RateChange(step=3, epoch=1.5, learning_rate=0.0005))
    figure = go.Figure(charts.curve(branch, "loss", charts.Stem(history(), 2)))
    assert [line.name for line in figure.data][3:] == ["its parent, validation"]
    assert list(figure.data[1].x) == [3, 4, 5]
    (mark,), (rate, *ends) = figure.layout.shapes, figure.layout.annotations
    assert (mark.x0, rate.x, rate.text) == (3.5, 3.5, "rate 0.0005")
    assert [end.text for end in ends] == ["<b>train</b>", "<b>validation</b>", "<b>parent</b>"]


def test_curves_of_nothing_are_empty() -> None:
    assert all(not len(line.x) for line in drawn_curve(History(), "loss").data)


def curve(*accuracies: float, runs: int = 1, sd: float = 0.0) -> pd.DataFrame:
    epochs = range(1, len(accuracies) + 1)
    return pd.DataFrame({"x": epochs, "mean": accuracies, "sd": sd, "runs": runs, "training": runs}, index=epochs)


def test_several_runs_are_overlaid_under_their_names_as_typed() -> None:
    figure = charts.overlaid_curves({"a": curve(0.1, 0.2, 0.3), "<b>": curve(0.5, 0.6)}, "accuracy", "epoch")
    assert [line.name for line in figure.data] == ["a", "&lt;b&gt;"]
    assert [list(line.y) for line in figure.data] == [[0.1, 0.2, 0.3], [0.5, 0.6]]
    assert len({line.line.color for line in figure.data}) == 2
    assert figure.layout.xaxis.title.text == "epoch"


def test_repeats_are_a_line_in_a_band_of_one_standard_deviation() -> None:
    band, line = charts.overlaid_curves({"a": curve(0.4, 0.6, runs=3, sd=0.1)}, "accuracy", "epoch").data
    assert list(band.x) == [1, 2, 2, 1]
    assert list(band.y) == pytest.approx([0.3, 0.5, 0.7, 0.5])
    assert "3" in str(line.customdata[0])
    assert "runs" in line.hovertemplate


def some_runs() -> pd.DataFrame:
    return pd.DataFrame(
        {"Parameters": [10, 100, 10_000], "Accuracy": [0.5, 0.4, 0.9], "Name": ["small", "<b>", "large"]},
        index=["s", "m", "l"],
    )


def test_cost_marks_the_front_and_the_compared_runs() -> None:
    figure = charts.cost_and_accuracy(some_runs(), "Parameters", ["s", "l"], ["m"])
    front, others, compared = figure.data
    assert (list(front.x), list(front.y), front.line.shape) == ([10, 10_000], [0.5, 0.9], "hv")
    assert list(others.text) == ["small", "large"]
    assert list(compared.text) == ["&lt;b&gt;"]
    assert figure.layout.xaxis.type == "log"


def test_parallel_coordinates_number_names_and_spread_wide_ranges_by_powers_of_ten() -> None:
    rows = pd.DataFrame(
        {
            "Network": ["b", "a", "b"],
            "Rate": [0.001, 0.01, 0.1],
            "Batch": [32, 64, 128],
            "Nesterov": [True, False, True],
            "Accuracy": [0.7, 0.8, 0.9],
        }
    )
    figure = charts.parallel_coordinates(rows, "Accuracy")
    lines = sorted([list(line.y[:-1]) for line in figure.data], key=lambda line: line[-1])
    assert lines[0] == pytest.approx([1, 0, 0, 1, 0])
    assert lines[1] == pytest.approx([0, 0.5, 1 / 3, 0, 0.5], abs=1e-4)
    assert lines[2] == pytest.approx([1, 1, 1, 1, 1])
    assert len({line.line.color for line in figure.data}) == 3
    assert list(figure.layout.xaxis.ticktext) == list(rows.columns)
    ticks = {(note.x, note.text): note.y for note in figure.layout.annotations}
    assert (ticks[0, "a"], ticks[0, "b"]) == (0, 1)
    assert ticks[1, "0.01"] == pytest.approx(0.5)
    assert ticks[4, "90.0%"] == 1


def test_a_thousand_runs_are_a_few_traces() -> None:
    draws = np.random.default_rng(0)
    rows = pd.DataFrame({"Rate": draws.uniform(0.01, 1, 1000), "Same": 1, "Accuracy": draws.uniform(0, 1, 1000)})
    figure = charts.parallel_coordinates(rows, "Accuracy")
    assert len(figure.data) == 10
    assert sum(np.isnan(line.y).sum() for line in figure.data) == 1000


def test_classes_carry_their_accuracy() -> None:
    (bars,) = go.Figure(charts.per_class_bars({"cat": 0.5, "dog": 1.0}, "Each")).data
    assert (list(bars.x), list(bars.y)) == (["cat", "dog"], [0.5, 1.0])
    assert list(bars.marker.color) == [ERROR, VALIDATION]
    points = charts.per_class_points({"A": {"cat": 0.5}, "B": {"cat": 0.6}}, "test accuracy").data
    assert [list(run.y) for run in points] == [[0.5], [0.6]]


STRANGE = "<a href='http://stranger.invalid'>%{y}</a>\n&amp;"
PLAIN = "&lt;a href='http://stranger.invalid'&gt;&#37;{y}&lt;/a&gt; &amp;amp;"


@pytest.mark.parametrize(
    "figure",
    [
        go.Figure(charts.per_class_bars({STRANGE: 0.5}, "Each")),
        charts.per_class_points({STRANGE: {STRANGE: 0.5}}, "accuracy"),
        charts.probability_bars([STRANGE], [1.0]),
        charts.lines({STRANGE: [0.5]}, [1], ("epoch", "accuracy")),
        charts.embedding(np.zeros((1, 2)), [STRANGE], [STRANGE], [STRANGE]),
        charts.confusion(np.ones((1, 1)), [STRANGE]),
        charts.class_intervals(pd.DataFrame({"Class": [STRANGE], "Accuracy": 0.5, "Low": 0.4, "High": 0.6})),
        charts.overlaid_curves(
            {STRANGE: pd.DataFrame({"x": [1], "mean": 0.5, "sd": 0, "runs": 1, "training": 1})}, "loss", "epoch"
        ),
    ],
)
def test_names_are_shown_as_strangers_typed_them(figure: go.Figure) -> None:
    written = figure.to_plotly_json()
    texts = [text for text in _texts(written) if "stranger" in text]
    assert texts
    assert all(text.replace(PLAIN, "").count("stranger") == 0 for text in texts)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, Iterable):
        for inner in value:
            yield from _texts(inner)


def test_the_likeliest_class_stands_out() -> None:
    (bars,) = charts.probability_bars(["a", "b", "c"], [0.1, 0.7, 0.2]).data
    assert list(bars.x) == [0.1, 0.7, 0.2]
    assert bars.marker.color[1] not in (bars.marker.color[0], bars.marker.color[2])


def test_only_bars_that_are_seen_have_a_figure_beside_them() -> None:
    figure = charts.probability_bars(["a", "b", "c", "d"], [0.9996, 0.0003, 0.0001, 0.0])
    assert list(figure.data[0].text) == ["> 99.9%", "", "", ""]
    votes = charts.probability_bars(["a", "b"], [1.0, 0.0], "{:.0%}".format)
    assert list(votes.data[0].text) == ["100%", ""]


def test_of_very_many_classes_the_likeliest_are_shown() -> None:
    figure = charts.probability_bars([f"class {number}" for number in range(1000)], [0.0] * 990 + [0.1] * 10)
    (bars,) = figure.data
    assert len(bars.y) == MOST_BARS
    assert set(bars.y[:10]) == {f"class {number}" for number in range(990, 1000)}
    assert "of 1,000 classes" in figure.layout.yaxis.title.text


@pytest.mark.parametrize("count", [1, 7, 16, 33])
def test_filters_keep_their_weights_and_zero_in_the_middle(count: int) -> None:
    weights = np.random.default_rng(0).normal(size=(count, 3, 2)).astype(np.float32)
    grid, tiles = charts.filter_grid(weights).data
    assert grid.zmin == -grid.zmax == pytest.approx(-np.abs(weights).max())
    shown = np.array(grid.z)
    for number in range(count):
        left, top = tiles.x[number] - 0.5, tiles.y[number] - 1
        tile = shown[round(top) : round(top) + 3, round(left) : round(left) + 2]
        assert tile.tolist() == weights[number].tolist()
        assert tiles.customdata[number][0] == number
    assert np.isfinite(shown).sum() == weights.size


def test_sorted_and_flagged_filters_keep_their_numbers() -> None:
    _, tiles = charts.filter_grid(np.ones((3, 2, 2)), [2, 0, 1], ["c", "a", "b"], flagged=[0]).data
    assert [list(row) for row in tiles.customdata] == [[2, "c"], [0, "a"], [1, "b"]]
    assert tiles.marker.symbol == ("square", "x-thin", "square")


def test_filters_that_are_all_zero_can_be_shown() -> None:
    assert charts.filter_grid(np.zeros((2, 3, 3))).data[0].zmax == 1


def test_feature_maps_share_one_scale_or_have_their_own() -> None:
    maps = np.array([[[0.0, 1.0]], [[2.0, 5.0]]])
    grid, _ = charts.feature_map_grid(maps).data
    assert (grid.zmin, grid.zmax) == (0.0, 5.0)
    own, _ = charts.feature_map_grid(maps, own_scale=True).data
    assert np.nan_to_num(np.array(own.z), nan=-1).tolist() == [[0, 1, -1, 0, 1]]
    signed, _ = charts.feature_map_grid(maps - 1).data
    assert (signed.zmin, signed.zmax) == (-4.0, 4.0)


def test_a_grid_of_large_maps_is_thinned_for_the_browser() -> None:
    grid, _ = charts.feature_map_grid(np.ones((64, 224, 224), np.float32)).data
    assert np.array(grid.z).size < 100_000


def test_patches_are_shown_as_they_are_with_their_titles() -> None:
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 200
    figure = charts.tile_strip([red, red], ["1.50", "0.50"], units=[7, 3])
    assert [tile[0] for tile in figure.data[1].customdata] == [7, 3]
    sheet = np.asarray(Image.open(BytesIO(base64.b64decode(figure.data[0].source.partition(",")[2]))))
    assert (sheet[..., 0] == 200).sum() == 2 * 16
    assert [note.text for note in figure.layout.annotations] == ["1.50", "0.50"]


@pytest.mark.parametrize("columns", [3, 5, 9])
def test_titles_of_two_lines_keep_off_the_row_above_on_a_phone(columns: int) -> None:
    picture = np.zeros((28, 28, 1), np.uint8)
    figure = charts.tile_strip([picture] * 2 * columns, ["9<br>9 4 9"] * 2 * columns, columns)
    enlarged = PHONE / (columns * (28 + 28 // 8))
    below = figure.layout.annotations[columns].y - 28 - figure.layout.annotations[0].y
    assert enlarged * below >= 2 * LINE
    assert "zoom" in figure.layout.modebar.remove  # over the first row's titles


def test_a_row_of_tiles_has_the_grids_colours() -> None:
    row = charts.tile_row(np.array([[[0.0, 2.0]], [[1.0, 2.0]]]), side=8)
    assert row.dtype == np.uint8
    assert row.shape[0] == 4
    assert (row[0, 0, 3], row[0, 7, 3]) == (0, 255)  # zero looks like the page
    assert f"#{bytes(row[0, 7, :3]).hex()}" == charts.PALETTE[0]
    assert row[0, 8, 3] == 0  # between the tiles
    signed = charts.tile_row(np.array([[[-2.0, 1.0]]]), side=8)
    assert f"#{bytes(signed[0, 0, :3]).hex()}" == charts.PALETTE[3]
    assert (signed[0, 0, 3], signed[0, 7, 3]) == (255, 128)
    assert charts.tile_row(np.zeros((2, 224, 224))).shape[0] <= 56


def test_tiles_below_one_another_share_one_scale() -> None:
    column = charts.tile_column(np.array([[[0.0, 2.0]], [[-1.0, 2.0]]]))
    assert column.shape == (2, 2, 4)
    assert column[..., 3].tolist() == [[0, 255], [128, 255]]
    assert charts.tile_column(np.zeros((2, 224, 200))).shape == (2 * 112, 100, 4)


def test_features_are_bars_from_zero_the_largest_of_neighbours_where_they_are_many() -> None:
    bars = charts.bar_column(np.array([1.0, -3.0]), height=20, width=40)
    lengths = (bars[..., 3] > 0).sum(1)
    assert lengths[:9].tolist() == [10] * 9  # then a gap
    assert lengths[9] == lengths[19] == 0
    assert lengths[10:19].tolist() == [30] * 9
    assert f"#{bytes(bars[0, 35, :3]).hex()}" == charts.PALETTE[0]
    assert f"#{bytes(bars[15, 5, :3]).hex()}" == charts.PALETTE[3]
    many = np.zeros(1000)
    many[501] = 4.0
    assert ((charts.bar_column(many, height=10)[..., 3] > 0).sum(1) > 0).tolist() == [False] * 5 + [True] + [False] * 4
    assert not charts.bar_column(np.zeros(3))[..., 3].any()


def test_a_spread_tells_shares_by_epoch() -> None:
    shares = np.array([[0.25, 0.75], [1.0, 0.0]])
    (grid,) = charts.spread(shares, [-1.0, 0.0, 1.0], [0, 5], "weight", now=5).data
    assert list(grid.x) == ["0", "5"]
    assert list(grid.y) == [-1.0, 0.0, 1.0]
    assert np.array(grid.customdata).tolist() == shares.T.tolist()


def test_names_are_lines() -> None:
    first, second = charts.lines({"conv1": [0.1, 0.2], "conv2": [0.3, 0.1]}, [1, 2], ("epoch", "change"), now=1).data
    assert (first.name, list(first.x), list(second.y)) == ("conv1", [1, 2], [0.3, 0.1])


@pytest.mark.parametrize(("signed", "low"), [(True, -2.0), (False, 0.0)])
def test_an_attribution_lies_over_the_image_or_alone(signed: bool, low: float) -> None:
    values = np.array([[1.0, -2.0]])
    (alone,) = charts.overlay(np.zeros((1, 2)), values, signed, on_image=False).data
    assert (alone.zmin, alone.zmax) == (low, 2.0)
    _, above = charts.overlay(np.zeros((1, 2)), values, signed, on_image=True, limit=4.0).data
    assert above.zmax == 4.0
    nothing = 0.5 if signed else 0.0
    assert next(colour for place, colour in above.colorscale if place == nothing).endswith(", 0)")


@pytest.mark.parametrize("dimensions", [2, 3])
def test_an_embedding_has_a_colour_for_each_group_and_knows_its_images(dimensions: int) -> None:
    places = np.arange(3 * dimensions, dtype=float).reshape(3, dimensions)
    cats, dogs = charts.embedding(places, ["cat", "dog", "cat"], ["a", "b", "c"], ["cat", "dog"]).data
    assert (cats.name, list(cats.customdata), list(cats.text)) == ("cat", [0, 2], ["a", "c"])
    assert list(dogs.x) == [places[1, 0]]
    assert cats.marker.color != dogs.marker.color
    assert ("z" in cats) == (dimensions == 3)


def test_images_in_a_loop_stand_out() -> None:
    places, groups = np.zeros((3, 2)), ["cat", "dog", "cat"]
    figure = charts.embedding(places, groups, ["a", "b", "c"], ["cat", "dog"], {2})
    assert [trace.selectedpoints for trace in figure.data] == [(1,), ()]
    none = charts.embedding(places, groups, ["a", "b", "c"], ["cat", "dog"])
    assert [trace.selectedpoints for trace in none.data] == [None, None]
    assert figure.layout.selectionrevision != none.layout.selectionrevision


def test_classes_carry_their_intervals() -> None:
    table = pd.DataFrame({"Class": ["cat"], "Accuracy": [0.5], "Low": [0.3], "High": [0.8]})
    (points,) = charts.class_intervals(table).data
    assert points.error_y.array.tolist() == pytest.approx([0.3])
    assert points.error_y.arrayminus.tolist() == pytest.approx([0.2])
    assert list(points.marker.color) == [charts.PALETTE[0]]


def test_the_worst_class_has_the_colour_of_errors() -> None:
    table = pd.DataFrame({"Class": ["cat", "dog", "owl"], "Accuracy": [1.0, 0.5, 0.8], "Low": 0.4, "High": 1.0})
    (points,) = charts.class_intervals(table).data
    assert list(points.marker.color) == [charts.PALETTE[0], charts.PALETTE[3], charts.PALETTE[0]]


def test_a_confusion_matrix_of_many_classes_has_marks_where_something_is() -> None:
    matrix = np.eye(60)
    matrix[3, 59] = 2
    marks = charts.confusion(matrix, [f"class {number}" for number in range(60)]).data[1]
    assert len(marks.x) == 61
    assert [239, "2"] in [list(each) for each in marks.customdata]


def test_a_confusion_matrix_marks_errors_and_knows_its_cells() -> None:
    grid, cells = charts.confusion(np.array([[5.0, 2.0], [0.0, 7.0]]), ["cat", "<b>"]).data
    assert np.isnan(np.array(grid.z, float).diagonal()).all()
    assert np.isnan(grid.z[1][0])  # blank, as no error is
    assert list(grid.x) == ["cat", "&lt;b&gt;"]
    assert [list(cell) for cell in cells.customdata] == [[0, "5"], [1, "2"], [2, "0"], [3, "7"]]
    shares = charts.confusion(np.array([[0.75, 0.25], [0.0, 1.0]]), ["cat", "dog"]).data[1]
    assert shares.customdata[1][1] == "25.0%"


def test_reliability_has_the_diagonal_to_compare_with() -> None:
    table = pd.DataFrame(
        {"confidence": [0.5, 0.9], "accuracy": [0.6, 0.8], "images": [1, 3], "Low": [0.15, 0.7], "High": [0.9, 0.9]}
    )
    diagonal, points = charts.reliability(table, "as it is").data
    assert list(diagonal.x) == list(diagonal.y) == [0.1, 1]  # from the lowest end of an interval
    assert list(points.y) == [0.6, 0.8]
    assert points.error_y.arrayminus.tolist() == pytest.approx([0.45, 0.1])
    assert points.mode == "markers"  # a line between them would zigzag
    assert points.marker.size[1] > points.marker.size[0]


def test_a_trade_off_is_a_line_between_named_shares() -> None:
    figure = charts.trade_off(np.array([0.0, 1.0]), np.array([1.0, 0.5]), ("recall", "precision"))
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("recall", "precision")


def test_the_theme_and_the_charts_have_the_same_colours() -> None:
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
    assert tuple(theme["chartCategoricalColors"]) == charts.PALETTE
    for page in (theme["light"], theme["dark"]):
        rising, falling = page["chartSequentialColors"], page["chartDivergingColors"]
        assert (len(rising), rising[0], rising[-1]) == (10, page["backgroundColor"], POSITIVE)
        assert (len(falling), falling[0], falling[-1]) == (10, NEGATIVE, POSITIVE)


def test_every_colour_of_the_palette_is_seen_on_both_pages() -> None:
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
    pages = [theme[name]["backgroundColor"] for name in ("light", "dark")]
    assert min(contrast(colour, page) for colour in charts.PALETTE for page in pages) >= 3


def contrast(one: str, other: str) -> float:
    """As the WCAG defines it."""
    darker, lighter = sorted(map(luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_strokes_are_numbered_in_their_middles_and_coloured_by_what_they_speak_for() -> None:
    lines = [[(0.0, 0.0), (1.0, 0.0)], [(1.0, 0.0), (1.0, 1.0), (1.0, 2.0)], [(2.0, 2.0)]]
    figure = charts.strokes(lines, [(0.5, 0.0), (1.0, 1.0), (2.0, 2.0)], np.array([2.0, -1.0, 0.0]))
    *drawn, numbers = figure.data
    rims, coloured = drawn[:3], drawn[3:]
    assert [list(line.x) for line in coloured] == [list(line.x) for line in rims] == [[0, 1], [1, 1, 1], [2]]
    strong, against, nothing = (line.line.color for line in coloured)
    assert [strong, against, nothing] == sample_colorscale([colour for _, colour in charts.ON_WHITE], [1.0, 0.25, 0.5])
    assert {line.line.color for line in rims} == {charts.PALETTE[8]}  # zero is as white as the page
    assert (list(numbers.x), list(numbers.y), list(numbers.text)) == ([0.5, 1, 2], [0, 1, 2], ["1", "2", "3"])
    assert (numbers.marker.cmin, numbers.marker.cmax) == (-2, 2)
    bottom, top = figure.layout.yaxis.range
    assert bottom > 2
    assert top < 0


def test_strokes_that_all_speak_for_nothing_are_white() -> None:
    figure = charts.strokes([[(0.0, 0.0), (1.0, 1.0)]], [(0.5, 0.5)], np.zeros(1))
    assert figure.data[1].line.color == sample_colorscale([colour for _, colour in charts.ON_WHITE], [0.5])[0]


def test_a_photos_boxes_are_closed_named_and_flagged() -> None:
    box = np.array([(2.0, 3.0), (8.0, 4.0), (8.0, 9.0), (2.0, 8.0)])
    figure = charts.boxed_photo(
        np.zeros((20, 30, 3), np.uint8), [box, box + 10], ["3", "7/1"], [["a: 3"], ["a: 7", "<b>: 1"]], [False, True]
    )
    photo, sure, doubted = figure.data
    assert photo.source.startswith("data:image/jpeg")
    assert (sure.x[0], sure.y[0]) == (sure.x[-1], sure.y[-1]) == (2, 3)
    assert sure.line.color != doubted.line.color
    assert doubted.name == "a: 7<br>&lt;b&gt;: 1"
    assert [label.text for label in figure.layout.annotations] == ["3", "7/1?"]
