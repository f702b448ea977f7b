"""Forecasts of trainings from the runs that the session's person may see, and how right theirs were."""

from __future__ import annotations

import streamlit as st

from cnnlab.data.datasets import dataset_spec
from cnnlab.data.spec import DatasetError
from cnnlab.forecasting.forecast import Outlook, outlook
from cnnlab.forecasting.record import Record, record
from cnnlab.jobs.job import running_jobs
from cnnlab.runs.store import runs_folder
from cnnlab.runs.summary import Forecast
from cnnlab.training.config import RunConfig
from cnnlab.ui.shell import catalogue, person


def outlook_for(config: RunConfig) -> Outlook | None:
    """Forecast the validation accuracy of ``config``; None where that cannot be, as ``outlook``."""
    training = [job.run.id for job in running_jobs()]
    return _outlook(f"{runs_folder()} {training} {person.me()} {config}", config)


def forecast_for(config: RunConfig) -> Forecast | None:
    """Return what ``config`` is forecast to come to; None where there are too few earlier runs, or that cannot be."""
    found = outlook_for(config)
    return found.forecast if found else None


def own_record() -> Record | None:
    """Judge the last forecasts of the person's own trainings; None without any."""
    return record(catalogue.entries(), person.owner())


@st.cache_data(ttl=5, max_entries=100, show_spinner=False)  # seconds: with thousands of runs it takes a while
def _outlook(at: str, _config: RunConfig) -> Outlook | None:
    try:
        spec = dataset_spec(_config.dataset)
    except DatasetError:  # gone meanwhile: the training will say so
        return None
    return outlook(_config, spec, catalogue.entries().viewable({_config.dataset}, None, person.me()))
