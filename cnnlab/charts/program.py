"""The logits of an untrained network."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from cnnlab.charts.style import VALIDATION, framed
from cnnlab.palette import PALETTE


def logit_bars(logits: Mapping[str, float], label: str) -> go.Figure:
    """Plot the logit of each class; that of the right one, ``label``, in another colour."""
    figure = go.Figure(
        go.Bar(
            x=list(logits),
            y=list(logits.values()),
            marker={"color": [VALIDATION if name == label else PALETTE[0] for name in logits]},
            hovertemplate="%{x}: %{y:.3f}<extra></extra>",
        )
    )
    figure.update_xaxes(title="class", type="category")
    figure.update_yaxes(title="logit")
    return framed(figure).update_layout(height=220)
