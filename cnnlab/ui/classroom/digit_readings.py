"""How the networks on a board read the class's digits, computed in the background where it takes long."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2s

import streamlit as st

from cnnlab.classroom.assignment import Assignment
from cnnlab.classroom.board import Row
from cnnlab.classroom.digits import Writers, fingerprint, takes_digits
from cnnlab.classroom.hand_ins import HandIn
from cnnlab.classroom.readings import Readings, readings
from cnnlab.data.datasets import DATASETS
from cnnlab.data.spec import DatasetSpec
from cnnlab.jobs.worker import Part, Worker
from cnnlab.runs.store import runs_folder
from cnnlab.ui.shell import classroom
from cnnlab.ui.widgets.awaited import awaited, begun


def read_digits(assignment: Assignment, rows: Sequence[Row]) -> tuple[Writers, Readings]:
    """Return all writers' digits, and how each row's network reads them; no readings while the page waits for them."""
    spec = DATASETS.get(assignment.config.dataset)
    writers = classroom.digits().writers() if spec and takes_digits(spec) else {}
    if not (spec and writers and rows):
        return writers, {}
    best = [row.best for row in rows]
    part = awaited("Reading the class's digits", _read, _key(best, writers), best, writers, spec)
    return writers, (part.result or {}) if part else {}


def _key(hand_ins: Sequence[HandIn], writers: Writers) -> str:
    """Return what decides the readings: the networks and the digits, neither of which changes."""
    marks = [*(one.run for one in hand_ins), *writers, *(fingerprint(one) for own in writers.values() for one in own)]
    return blake2s(" ".join(marks).encode(), digest_size=16).hexdigest()


@st.cache_resource(max_entries=32, show_spinner=False, on_release=Worker.cancel)
def _read(key: str, _best: Sequence[HandIn], _writers: Writers, _spec: DatasetSpec) -> Worker[Part[Readings]]:
    return begun(readings(_best, _writers, _spec, runs_folder()))
