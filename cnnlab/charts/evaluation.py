"""Evaluation of a network: accuracies with intervals, confusion matrix, calibration, trade-offs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from cnnlab.charts.style import ERROR, PERCENT, Numbers, Scale, fitted, framed, plain
from cnnlab.palette import PALETTE

LEGIBLE = 12  # classes whose numbers fit into a confusion matrix
_ERRORS: Scale = [(0.0, "#f7dde7"), (1.0, ERROR)]  # pale, not faded: the numbers upon it are legible on any page
MANY_CLASSES = 50  # from more on, only cells that hold something can be pointed at


def class_intervals(table: pd.DataFrame) -> go.Figure:
    """Plot each class's accuracy with its interval, from columns Class, Accuracy, Low, High; the worst has a colour."""
    lowest, best = table["Accuracy"].min(), table["Accuracy"].max()
    colours = [ERROR if accuracy == lowest < best else PALETTE[0] for accuracy in table["Accuracy"]]
    figure = go.Figure(
        go.Scatter(
            x=table["Class"].map(fitted(table["Class"])),
            y=table["Accuracy"],
            error_y={
                "array": table["High"] - table["Accuracy"],
                "arrayminus": table["Accuracy"] - table["Low"],
                "color": PALETTE[8],
            },
            mode="markers",
            marker={"color": colours, "size": 10},
            hovertext=table["Class"].map(plain),
            customdata=table[["Low", "High"]],
            hovertemplate="%{hovertext}: %{y:.1%} (%{customdata[0]:.1%} to %{customdata[1]:.1%})<extra></extra>",
        )
    )
    figure.update_xaxes(title="class", type="category")
    figure.update_yaxes(title="accuracy", tickformat=PERCENT)
    return framed(figure.update_layout(height=300))


def with_intervals(rows: pd.DataFrame, by: str, axes: tuple[str, str], height: int) -> go.Figure:
    """Plot a line for each value of column ``by`` over the first of the ``axes``' columns, with intervals.

    Columns low and high are the intervals' ends.
    """
    x, y = axes
    figure = go.Figure()
    for number, (name, line) in enumerate(rows.groupby(by, sort=False)):
        figure.add_scatter(
            x=line[x],
            y=line[y],
            error_y={"array": line["high"] - line[y], "arrayminus": line[y] - line["low"], "thickness": 1},
            customdata=line[["low", "high"]],
            name=plain(str(name)),
            mode="lines+markers",
            line={"color": PALETTE[number % len(PALETTE)], "width": 2},
            hovertemplate=f"{x} %{{x}}: %{{y:.1%}} (%{{customdata[0]:.1%}} to %{{customdata[1]:.1%}})"
            f"<extra>{plain(str(name))}</extra>",
        )
    figure.update_xaxes(title=x, rangemode="tozero")
    figure.update_yaxes(title=y, tickformat=".0%", rangemode="tozero")
    return framed(figure.update_layout(height=height))


def confusion(matrix: Numbers, classes: Sequence[str]) -> go.Figure:
    """Plot true classes by row, predictions by column; a cell's invisible marker has customdata row · classes + column.

    Whole numbers are shown as counts, others as shares. Only errors have a colour; the diagonal has an outline.
    """
    short = fitted(classes)
    names = [short[name] for name in classes]
    count = len(names)
    is_counts = bool((matrix == matrix.round()).all()) and matrix.max() > 1
    errors = np.where(np.eye(count, dtype=bool) | (matrix == 0), np.nan, matrix)
    form = "{:.0f}" if is_counts else "{:.1%}"
    figure = go.Figure(
        go.Heatmap(
            z=errors,
            x=names,
            y=names,
            text=[
                [form.format(value) if value and row != column else "" for column, value in enumerate(values)]
                for row, values in enumerate(matrix)
            ]
            if count <= LEGIBLE
            else None,
            texttemplate="%{text}" if count <= LEGIBLE else None,
            colorscale=_ERRORS,
            zmin=0,
            showscale=False,
            hoverinfo="skip",
        )
    )
    figure.add_trace(_cells(matrix, names, form, classes))
    for place in range(count if count <= MANY_CLASSES else 0):
        edges = {"x0": place - 0.5, "x1": place + 0.5, "y0": place - 0.5, "y1": place + 0.5}
        figure.add_shape(type="rect", **edges, line={"color": PALETTE[8], "width": 1})
    figure.update_xaxes(title="answer", type="category", showgrid=False, side="top", constrain="domain")
    figure.update_yaxes(
        title="true class", type="category", autorange="reversed", showgrid=False, scaleanchor="x", constrain="domain"
    )
    figure.update_layout(height=min(760, 140 + 36 * count), hoverdistance=-1)
    return framed(figure)


def _cells(matrix: Numbers, names: Sequence[str], form: str, classes: Sequence[str]) -> go.Scatter:
    """Invisible markers that can be clicked; those of the diagonal show their number."""
    count = len(names)
    is_crowded = count > MANY_CLASSES
    cells = [divmod(at, count) for at in range(count**2) if not is_crowded or matrix.flat[at]]
    whole = [plain(name) for name in classes]
    is_cut = names != whole
    told = "%{hovertext}" if is_cut else "%{y} read as %{x}"  # the same, in a fraction of the text
    return go.Scatter(
        x=[names[column] for _, column in cells],
        y=[names[row] for row, _ in cells],
        customdata=[[row * count + column, form.format(matrix[row, column])] for row, column in cells],
        text=[form.format(matrix[row, column]) if row == column and count <= LEGIBLE else "" for row, column in cells],
        hovertext=[f"{whole[row]} read as {whole[column]}" for row, column in cells] if is_cut else None,
        mode="markers+text",
        marker={"size": 20, "opacity": 0, "symbol": "square"},
        hovertemplate=told + ": %{customdata[1]}<extra></extra>",
        showlegend=False,
    )


def reliability(table: pd.DataFrame, name: str) -> go.Figure:
    """Plot accuracy against confidence, a point a bin with its interval; a calibrated network lies on the diagonal.

    Columns are images, confidence, accuracy, Low and High. The axes begin where the first of them lies.
    """
    first = np.floor(10 * min(table["confidence"].min(), table["Low"].min())) / 10
    ends = [first, 1.0]
    figure = go.Figure(
        [
            go.Scatter(x=ends, y=ends, mode="lines", line={"color": PALETTE[8], "dash": "dot"}, hoverinfo="skip"),
            go.Scatter(
                x=table["confidence"],
                y=table["accuracy"],
                error_y={
                    "array": table["High"] - table["accuracy"],
                    "arrayminus": table["accuracy"] - table["Low"],
                    "color": PALETTE[8],
                },
                mode="markers",
                name=name,
                cliponaxis=False,
                marker={"color": PALETTE[0], "size": 6 + 16 * np.sqrt(table["images"] / table["images"].sum())},
                customdata=table[["images", "Low", "High"]],
                hovertemplate="says %{x:.1%}, is right %{y:.1%} (%{customdata[1]:.1%} to %{customdata[2]:.1%}, "
                "%{customdata[0]} images)<extra></extra>",
            ),
        ]
    )
    reach = [first, 1.0 + (1.0 - first) / 50]
    figure.update_xaxes(title="mean confidence", tickformat=".0%", range=reach)
    figure.update_yaxes(title="accuracy", tickformat=".0%", range=reach)
    return framed(figure.update_layout(height=340, showlegend=False))


def trade_off(x: Numbers, y: Numbers, titles: tuple[str, str]) -> go.Figure:
    """Plot a precision-recall or ROC curve; ``titles`` are the axes'."""
    figure = go.Figure(
        go.Scatter(
            x=x,
            y=y,
            mode="lines",
            line={"color": PALETTE[0], "width": 2},
            hovertemplate=f"{titles[0]} %{{x:.1%}}, {titles[1]} %{{y:.1%}}<extra></extra>",
        )
    )
    figure.update_xaxes(title=titles[0], tickformat=".0%", range=[-0.02, 1.02])
    figure.update_yaxes(title=titles[1], tickformat=".0%", range=[-0.02, 1.02])
    return framed(figure.update_layout(height=340))
