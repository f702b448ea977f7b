"""The learning-rate finder below the form: a button, the ramp's curve, and its suggestion to apply."""

from __future__ import annotations

from collections.abc import Generator

import streamlit as st

from cnnlab import charts
from cnnlab.jobs.worker import Worker
from cnnlab.training.config import RunConfig
from cnnlab.training.events import StepMetrics
from cnnlab.training.lr_finder import STEPS, ramp, suggest
from cnnlab.training.run_data import load_for
from cnnlab.ui.shell import poll, session
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.shell.state import RATE_RAMP
from cnnlab.ui.widgets.run_form import set_learning_rate

UPDATE_SECONDS = 0.5

_REPLACED = {"learning_rate": 1.0, "epochs": 1, "schedule": "constant", "early_stopping": 0}  # overridden by the ramp

Points = tuple[StepMetrics, ...]


def learning_rate_finder(config: RunConfig) -> None:
    """Offer a ramp of increasing learning rates for ``config``; show the result for these settings."""
    asked = config.model_copy(update=_REPLACED).model_dump_json()
    st.button(
        "Find a learning rate",
        icon=":material/trending_up:",
        width="stretch",
        on_click=_begin,
        args=[asked, config],
        help="Trains a new network for a few seconds with rising rates and shows where the loss falls. It saves no "
        "run.",
    )
    known, work = RATE_RAMP.get()
    if known != asked or not work:
        return
    poll.follow(lambda: work.is_running, UPDATE_SECONDS, _watch, work, config)


def _begin(asked: str, config: RunConfig) -> None:
    known, work = RATE_RAMP.get()
    if work and work.is_running:
        if known == asked:  # a second click
            return
        work.cancel()
    RATE_RAMP.put((asked, Worker(_climb(config), dataset=config.dataset, trains=True, owner=session.owner())))


def _climb(config: RunConfig) -> Generator[Points]:
    points: Points = ()
    for point in ramp(load_for(config), config):
        points = (*points, point)
        yield points


def _watch(work: Worker[Points], config: RunConfig) -> None:
    if work.is_running:
        session.watch(work)
        st.progress(min(work.latest[-1].step / STEPS, 1.0) if work.latest else 0.0, text=_told(work))
    elif work.error:
        st.error(as_reason(work.error), title="The finder could not start")
    elif work.latest and not work.is_cancelled:
        _show(work.latest, config)


def _told(work: Worker[Points]) -> str:
    if work.place:
        return f"Waiting for other trainings: number {work.place} in the queue"
    return f"Trying learning rate {work.latest[-1].learning_rate:.2g}" if work.latest else "Loading the data"


def _show(points: Points, config: RunConfig) -> None:
    suggestion = float(f"{suggest(points):.2g}")
    st.plotly_chart(
        charts.learning_rate_ramp(points, suggestion).update_layout(height=260),
        key="finder.curve",
        alt="Loss against learning rate",
    )
    st.caption(
        "Left: the steps are too small to learn. Right: too large, so the loss rises. The suggestion is a tenth of "
        "the largest rate at which the loss is still near its lowest."
    )
    st.button(
        f"Use {suggestion:g}",
        icon=":material/check:",
        width="stretch",
        on_click=set_learning_rate,
        args=[suggestion],
        disabled=config.learning_rate == suggestion,
    )
