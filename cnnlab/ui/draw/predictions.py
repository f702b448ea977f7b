"""What the chosen runs answer to a drawing, side by side; also runs that still train."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st
from torch import Tensor

from cnnlab.analysis.ood import TrainingFeatures, read
from cnnlab.runs.entry import Entry
from cnnlab.runs.trained import Trained
from cnnlab.ui.shell import frame, poll, session
from cnnlab.ui.shell.networks import load_network, trained_network
from cnnlab.ui.views.answer import show_answer
from cnnlab.ui.views.cached import training_features

FOLLOW_SECONDS = 1.5  # between answers of a run that trains


def follow_answers(named: Mapping[str, Entry], seen: Callable[[Entry], Tensor], suspicion: str = "") -> None:
    """The answers; while one of the runs trains, its newest epoch answers again and again.

    ``seen`` makes the image (1, C, H, W) that a run's network gets; a ``suspicion`` casts doubt on any answer.
    """
    poll.follow(
        lambda: any(session.is_training(entry.id) for entry in named.values()),
        FOLLOW_SECONDS,
        _answers,
        named,
        seen,
        suspicion,
    )


@frame.errors_shown()
def _answers(named: Mapping[str, Entry], seen: Callable[[Entry], Tensor], suspicion: str) -> None:
    for place, (name, entry) in zip(st.columns(len(named), vertical_alignment="bottom"), named.items(), strict=True):
        with place:
            _answer(name, entry, seen, suspicion)


def _answer(name: str, entry: Entry, seen: Callable[[Entry], Tensor], suspicion: str) -> None:
    st.markdown(f"**{frame.literal(name)}**")
    network, familiar = newest(entry)
    if session.is_training(entry.id):
        st.caption(f":material/autorenew: epoch {network.epoch} of {entry.epochs}")
    reading = read(network, seen(entry), familiar, suspicion)
    show_answer(reading, network.classes, entry.id)


def newest(entry: Entry) -> tuple[Trained, TrainingFeatures | None]:
    """A run's network, of its last epoch while it trains, and what it knows, unless it still learns."""
    if session.is_training(entry.id):
        return trained_network(entry.run, entry.run.epochs()[-1]), None
    network = trained_network(entry.run, entry.summary.epoch)
    return network, training_features(entry.run, entry.summary.epoch)


def prepare_answers(named: Mapping[str, Entry]) -> None:
    """Load what the first answer would otherwise wait for."""
    for entry in named.values():
        if not session.is_training(entry.id):
            load_network(entry.run, entry.summary.epoch)
            training_features(entry.run, entry.summary.epoch)
