"""The board of a class: each person's accuracy with its interval, so that overlaps are seen."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from cnnlab.charts.style import PERCENT, fitted, framed, plain, titled
from cnnlab.palette import PALETTE

ROW, AROUND = 26, 80  # pixels of a row, and of title and axis


def accuracies(table: pd.DataFrame, is_same: list[bool]) -> go.Figure:
    """Plot rows with columns Name, Test, Low, High from top to bottom; those that chance explains are grey."""
    places = list(range(len(table)))
    colours = [PALETTE[8] if same else PALETTE[0] for same in is_same]
    figure = go.Figure(
        go.Scatter(
            x=table["Test"],
            y=places,
            error_x={
                "array": table["High"] - table["Test"],
                "arrayminus": table["Test"] - table["Low"],
                "color": PALETTE[8],
                "thickness": 1.5,
            },
            mode="markers",
            marker={"color": colours, "size": 10},
            hovertext=table["Name"].map(plain),
            customdata=table[["Low", "High"]],
            hovertemplate="%{hovertext}: %{x:.1%} (%{customdata[0]:.1%} to %{customdata[1]:.1%})<extra></extra>",
        )
    )
    short = fitted(table["Name"])
    figure.update_xaxes(tickformat=PERCENT, showgrid=True)
    ticks = {"tickvals": places, "ticktext": [short[name] for name in table["Name"]]}
    figure.update_yaxes(**ticks, autorange="reversed", showgrid=False, zeroline=False)
    return titled(framed(figure), "Test accuracy with its 95% interval").update_layout(height=AROUND + ROW * len(table))
