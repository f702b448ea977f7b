"""Epoch time of a training before it starts: known from earlier runs, else estimated from measurements of its layers.

A measurement starts in the background after a moment without edits, and waits while a network trains: otherwise they
would slow each other down.
"""

from __future__ import annotations

from secrets import token_hex

import streamlit as st

from cnnlab.data.spec import DatasetSpec
from cnnlab.jobs.job import running_jobs
from cnnlab.jobs.worker import Worker
from cnnlab.networks.architecture import Draft
from cnnlab.runs.epoch_times import epoch_seconds
from cnnlab.runs.store import runs_folder
from cnnlab.training.config import ConfigError, RunConfig
from cnnlab.training.epoch_time import EpochTime, Piece, Stopwatch
from cnnlab.ui.shell import person, poll, session
from cnnlab.ui.shell.state import TIMED, TIMING_ME

TICK = 0.6  # seconds without edits before measuring, and between updates
WAITING_TICK = 5.0  # seconds between updates while a training runs, for whose end the measurement waits


@st.cache_resource(show_spinner=False)
def _stopwatch() -> Stopwatch:
    return Stopwatch()


@st.cache_resource(show_spinner=False)
def _measuring() -> list[Worker[Piece]]:
    """Return the server-wide list with the worker that measures for all sessions."""
    return []


def estimated(draft: Draft, config: RunConfig, spec: DatasetSpec) -> EpochTime:
    """Return what is known now of the time of an epoch. Raises ConfigError where the device is missing."""
    return _stopwatch().epoch(draft, config, spec)


def measured(draft: Draft, config: RunConfig, spec: DatasetSpec) -> list[float]:
    """List the seconds per epoch of the runs that trained this network in the same way."""
    training = [job.run.id for job in running_jobs()]
    return _measured(
        f"{runs_folder()} {training} {person.me()} {draft.model_dump_json()} {config}", draft, config, spec
    )


def keep_measuring(draft: Draft, config: RunConfig, spec: DatasetSpec) -> None:
    """Measure what is missing and redraw the page when done; call it where something is missing."""
    waits = bool(running_jobs())
    seconds = WAITING_TICK if waits else TICK

    def is_missing() -> bool:
        return waits == bool(running_jobs()) and bool(estimated(draft, config, spec).waiting)

    poll.until_over(is_missing, seconds, _measure, draft, config, spec)


def measure_again() -> None:
    """Delete all measurements, as other work may have disturbed them; for callbacks."""
    _stopwatch().forget()


def give_way() -> None:
    """Stop measuring, as a training is about to start, which would wait for it."""
    for work in _measuring():
        work.cancel()


def _measure(draft: Draft, config: RunConfig, spec: DatasetSpec) -> None:
    asked = (draft.model_dump_json(), config.model_dump_json(), spec.name)
    if TIMED.get() != asked:
        TIMED.put(asked)  # just edited: the next tick measures unless there are more edits
    elif not running_jobs() and _stopwatch().want(_me(), draft, config, spec) and not _is_measuring():
        _measuring()[:] = [Worker(_stopwatch().measurements(), trains=True)]
    for work in _measuring():
        if work.is_running:
            session.watch(work)


def _is_measuring() -> bool:
    return any(work.is_running for work in _measuring())


def _me() -> str:
    """Return this session's id among those that wait for measurements."""
    return TIMING_ME.fill(token_hex(8))


@st.cache_data(ttl=5, max_entries=100, show_spinner=False)  # seconds: with thousands of runs it takes a while
def _measured(at: str, _draft: Draft, _config: RunConfig, _spec: DatasetSpec) -> list[float]:
    try:
        return epoch_seconds(session.trained_runs(), _draft, _config, _spec)
    except ConfigError:
        return []
