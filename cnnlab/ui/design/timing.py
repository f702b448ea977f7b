"""Epoch time of a design: from earlier measurements of its layers, else measured in the background.

A measurement starts only after a moment without edits, and waits while a network trains: otherwise they would
slow each other down.
"""

from __future__ import annotations

from dataclasses import dataclass
from secrets import token_hex
from statistics import mean

import streamlit as st

from cnnlab.data.datasets import DATASETS
from cnnlab.data.spec import DatasetSpec
from cnnlab.jobs.job import running_jobs
from cnnlab.jobs.worker import Worker
from cnnlab.networks.architecture import Draft, Place
from cnnlab.runs.epoch_times import epoch_seconds
from cnnlab.runs.store import runs_folder
from cnnlab.training.config import ConfigError, RunConfig
from cnnlab.training.epoch_time import Piece, Stopwatch, without_data
from cnnlab.ui.design.state import Images
from cnnlab.ui.shell import frame, poll, session
from cnnlab.ui.shell.state import DESIGN_ME, DESIGN_QUIET
from cnnlab.ui.widgets.format import duration

TICK = 0.6  # seconds without edits before measuring, and between updates
IMAGES = 1_000  # assumed where there is no data set


@dataclass(frozen=True)
class Times:
    """Seconds of an epoch by layer and in total, as far as they are known, with a note."""

    layers: dict[Place, float]
    total: float | None
    note: str
    waiting: int  # parts not measured yet


@st.cache_resource(show_spinner=False)
def _stopwatch() -> Stopwatch:
    return Stopwatch()


@st.cache_resource(show_spinner=False)
def _measuring() -> list[Worker[Piece]]:
    """Return the server-wide list with the worker that measures for all sessions."""
    return []


def times(draft: Draft, images: Images) -> Times:
    """Return the times known now."""
    config, spec = _training(images)
    epoch = _stopwatch().epoch(draft, config, spec)
    layers: dict[Place, float] = {
        (number,): seconds for number, seconds in enumerate(epoch.layers) if seconds is not None
    }
    return Times(layers, epoch.total, _note(draft, images, epoch.total, epoch.waiting), epoch.waiting)


def keep_time(draft: Draft, images: Images) -> None:
    """Measure what is missing and redraw the page when done; call it where something is missing."""
    poll.until_over(lambda: _is_waiting(draft, images), TICK, _measure, draft, images)


def measure_again() -> None:
    """Delete all measurements, as other work may have disturbed them; for callbacks."""
    _stopwatch().forget()


def _is_waiting(draft: Draft, images: Images) -> bool:
    return bool(_stopwatch().epoch(draft, *_training(images)).waiting)


def _measure(draft: Draft, images: Images) -> None:
    asked = (draft.model_dump_json(), images)
    if DESIGN_QUIET.get() != asked:
        DESIGN_QUIET.put(asked)  # just edited: the next tick measures unless there are more edits
    elif not running_jobs() and _stopwatch().want(_me(), draft, *_training(images)) and not _is_measuring():
        _measuring()[:] = [Worker(_stopwatch().measurements(), trains=True)]
    for work in _measuring():
        if work.is_running:
            session.watch(work)


def _is_measuring() -> bool:
    return any(work.is_running for work in _measuring())


def _me() -> str:
    """Return this session's id among those that wait for measurements."""
    return DESIGN_ME.fill(token_hex(8))


def _training(images: Images) -> tuple[RunConfig, DatasetSpec]:
    """Build the training that the estimate assumes: the default config with the chosen batch size."""
    config = RunConfig(batch_size=images.batch_size)
    if images.dataset:
        return config.model_copy(update={"dataset": images.dataset}), DATASETS[images.dataset]
    return config, without_data(images.shape, images.classes, IMAGES)


@st.cache_data(ttl=5, max_entries=100, show_spinner=False)  # seconds: with thousands of runs it takes a while
def _truth(at: str, _draft: Draft, images: Images) -> list[float]:
    """List the seconds per epoch of the runs that trained this network."""
    try:
        return epoch_seconds(session.trained_runs(), _draft, *_training(images))
    except ConfigError:
        return []


def _note(draft: Draft, images: Images, total: float | None, waiting: int) -> str:
    if waiting:
        return "The time can be measured once no training runs." if running_jobs() else "Measuring the time …"
    if total is None:
        return "The time per epoch is unknown: a layer does not fit or is too large to measure."
    if not images.dataset:
        return f"Time for one epoch of {IMAGES:,} images."
    training = [job.run.id for job in running_jobs()]
    truth = _truth(f"{runs_folder()} {training} {draft.model_dump_json()}", draft, images)
    if not truth:
        return (
            "An estimate: the measured times of all layers plus the overhead of each step. No run has measured it yet."
        )
    return (
        f"Measured in {frame.counted(len(truth), 'run')}: {duration(mean(truth))} an epoch (estimate "
        f"{duration(total)})."
    )
