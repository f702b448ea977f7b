"""A sweep's trials, drawn by Optuna, framed as ours."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import plotly.graph_objects as go
from optuna import Study, visualization

from cnnlab.charts.style import PERCENT, POSITIVE, faded, framed
from cnnlab.training.config import field_title

_VALUE = "validation accuracy"


def history(study: Study) -> go.Figure:
    """Plot every trial's accuracy, and the best so far."""
    return _in_percent(visualization.plot_optimization_history(study, target_name=_VALUE))


def learning_curves(study: Study) -> go.Figure:
    """Plot every trial's accuracy by epoch; pruned trials end early."""
    figure = _in_percent(visualization.plot_intermediate_values(study))
    return figure.update_xaxes(title="epoch").update_yaxes(title=_VALUE)


def importances(study: Study) -> go.Figure:
    """Plot how much each searched setting matters for the best trials (PED-ANOVA, Watanabe et al. 2023).

    Raises RuntimeError, UserWarning or ValueError where the trials are too few or too alike to tell.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = _ours(visualization.plot_param_importances(study, target_name=_VALUE))
    figure.update_traces(y=[field_title(name) for name in figure.data[0].y], hovertemplate=None)
    return figure.update_xaxes(title="importance").update_yaxes(title="setting")


def slices(study: Study) -> go.Figure:
    """Plot accuracy against each searched setting by itself; later trials are brighter."""
    figure = _in_percent(visualization.plot_slice(study, target_name=_VALUE))
    figure.for_each_xaxis(lambda axis: axis.update(title=field_title(axis.title.text)))
    return figure.update_traces(marker={"colorscale": [(0, faded(POSITIVE, 0.25)), (1, faded(POSITIVE, 1))], "size": 8})


FIGURES: dict[str, Callable[[Study], go.Figure]] = {
    "History": history,
    "Curves": learning_curves,
    "Importance": importances,
    "Slices": slices,
}


def _in_percent(figure: go.Figure) -> go.Figure:
    return _ours(figure).update_yaxes(tickformat=PERCENT)


def _ours(figure: go.Figure) -> go.Figure:
    return framed(figure).update_layout(title=None, height=400)
