"""What the chosen runs answer to a drawing, side by side; also runs that still train."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st
from torch import Tensor

from cnnlab import charts
from cnnlab.analysis.ood import TrainingFeatures, read
from cnnlab.runs.entry import Entry
from cnnlab.runs.trained import Trained
from cnnlab.text import percent
from cnnlab.ui.shell import frame, poll, session
from cnnlab.ui.shell.networks import load_network, trained_network
from cnnlab.ui.views.cached import training_features
from cnnlab.ui.widgets.live_chart import live_chart

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
    st.metric(
        "Not sure" if reading.doubt else "The network says",
        frame.literal(f"{reading.said}?" if reading.doubt else reading.said),
        frame.literal(reading.doubt or f"{percent(reading.certainty)} sure"),
        delta_color="off",
        delta_arrow="off",
        help="The bars show the network's own probabilities. It can look certain about a picture of no class. So *not "
        "sure* uses more: the distance from all training images. For photos also how weak the evidence is for "
        "every class; for digits a second network trained on non-digits. On Data you can add a class “none” to "
        "your own pictures. Networks trained on it can answer “none”.",
    )
    live_chart(
        charts.probability_bars(network.classes, reading.probabilities),
        f"probabilities.{entry.id}",
        entry.id,
        "Probability of each class",
        height=300,
    )


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
