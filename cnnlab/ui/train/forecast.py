"""The forecast of a training's accuracy: before it starts, and beside its result."""

from __future__ import annotations

import streamlit as st

from cnnlab.data.datasets import dataset_title
from cnnlab.forecasting.training import BOUNDED
from cnnlab.quantities import percent
from cnnlab.runs.summary import Forecast, Summary
from cnnlab.training.config import RunConfig
from cnnlab.ui.shell import forecasts, frame

HOW = (
    "From your finished runs on the same data set. Runs with similar settings count most; without them the interval is "
    "wider. It should hold the result in 9 of 10 trainings."
)


def tell_accuracy(config: RunConfig) -> None:
    """Say which validation accuracy a training will come to, or how many more runs a forecast needs."""
    found = forecasts.outlook_for(config)
    if not found:
        return
    if told := found.forecast:
        st.caption(
            f"**Validation accuracy about {percent(told.accuracy)}**, {_interval(told)}: a forecast from "
            f"{frame.counted(told.runs, 'earlier run')}.",
            help=HOW,
        )
        _tell_record()
    elif found.beyond:
        st.caption(f"No forecast: none of your earlier runs is like this one in its {BOUNDED[found.beyond]}.")
    elif found.missing:
        more = frame.counted(found.missing, "more finished run")
        st.caption(f"Its accuracy can be forecast after {more} on {frame.literal(dataset_title(config.dataset))}.")


def _tell_record() -> None:
    known = forecasts.own_record()
    if known and known.forecasts > 1:  # a single one stands beside its run's result
        st.caption(
            f"Of your last {known.forecasts} forecasts, {known.held} held the result; median error "
            f"{100 * known.error:.1f} points."
        )


def judged_forecast(summary: Summary) -> None:
    """Say what was forecast for a run that has finished, and what it came to; nothing where there is no forecast."""
    told, came = summary.forecast, summary.validation_accuracy
    if not told or came is None or summary.status != "finished" or summary.extensions or summary.rates_set:
        return
    apart = f"{100 * abs(came - told.accuracy):.1f} points {'higher' if came > told.accuracy else 'lower'}"
    icon = ":material/check:" if told.holds(came) else ":material/close:"
    where = "within" if told.holds(came) else "outside"
    st.caption(
        f"{icon} Forecast before the start: validation accuracy {percent(told.accuracy)} ({_interval(told)}). "
        f"It came to {percent(came)}, {apart} and {where} the interval."
    )


def _interval(told: Forecast) -> str:
    return f"{percent(told.low)} to {percent(told.high)}"
