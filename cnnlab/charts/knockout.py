"""What a network loses without each filter, by class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from cnnlab.charts.style import DIVERGING, fitted, framed


def losses_by_filter(losses: npt.NDArray[np.integer], classes: Sequence[str]) -> go.Figure:
    """Plot right answers lost (filters, classes), a row a class, a column a filter; zero looks like the page."""
    limit = float(np.abs(losses).max()) or 1.0
    short = fitted(classes)
    figure = go.Figure(
        go.Heatmap(
            z=-losses.T,
            x=list(range(len(losses))),
            y=[short[name] for name in classes],
            customdata=losses.T,
            colorscale=DIVERGING,
            zmin=-limit,
            zmax=limit,
            xgap=1,
            ygap=1,
            colorbar={"title": "images<br>won", "thickness": 12},
            hovertemplate="without filter %{x}: %{customdata} images of class %{y} lost<extra></extra>",
        )
    )
    figure.update_xaxes(title="filter that is off", showgrid=False)
    figure.update_yaxes(title="class", type="category", autorange="reversed", showgrid=False)
    return framed(figure.update_layout(height=340))
