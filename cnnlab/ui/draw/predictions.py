"""The chosen runs' predictions for a drawing, side by side; also of runs that still train."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st
from torch import Tensor

from cnnlab import charts
from cnnlab.analysis.ood import TrainingFeatures, read
from cnnlab.runs.ancestry import data_of
from cnnlab.runs.catalogue import Entry
from cnnlab.runs.run import Run
from cnnlab.runs.trained import Trained
from cnnlab.ui.shell import frame, poll, session
from cnnlab.ui.shell.networks import trained_network
from cnnlab.ui.widgets.live_chart import live_chart

FOLLOW_SECONDS = 1.5  # between predictions of a run that trains


def follow_answers(named: Mapping[str, Entry], seen: Callable[[Entry], Tensor], suspicion: str = "") -> None:
    """Show each run's prediction, refreshed with the newest epoch while one of them trains.

    ``seen`` makes the image (1, C, H, W) that a run's network receives; with a ``suspicion`` no prediction is sure.
    """
    poll.follow(lambda: any(map(_trains, named.values())), FOLLOW_SECONDS, _answers, named, seen, suspicion)


@frame.errors_shown()
def _answers(named: Mapping[str, Entry], seen: Callable[[Entry], Tensor], suspicion: str) -> None:
    for place, (name, entry) in zip(st.columns(len(named)), named.items(), strict=True):
        with place:
            _answer(name, entry, seen, suspicion)


def _answer(name: str, entry: Entry, seen: Callable[[Entry], Tensor], suspicion: str) -> None:
    st.markdown(f"**{frame.literal(name)}**")
    network, familiar = newest(entry)
    if _trains(entry):
        st.caption(f":material/autorenew: epoch {network.epoch} of {entry.epochs}")
    reading = read(network, seen(entry), familiar, suspicion)
    st.metric(
        "Not sure" if reading.doubt else "The network says",
        frame.literal(f"{reading.name}?" if reading.doubt else reading.name),
        frame.literal(reading.doubt) or f"{reading.certainty:.1%} sure",
        delta_color="off",
        delta_arrow="off",
        help="The bars are the network's own probabilities, and what is none of its classes can look certain to it. "
        "So doubt also comes from how far the drawing is from all it learned from, and for digits from a second "
        "network that was shown what is none.",
    )
    live_chart(
        charts.probability_bars(network.classes, reading.probabilities),
        f"probabilities.{entry.id}",
        entry.id,
        "Probability of each class",
        height=300,
    )


def newest(entry: Entry) -> tuple[Trained, TrainingFeatures | None]:
    """Load a run's network, after its newest epoch while it trains, and its training features once it has ended."""
    if _trains(entry):
        return trained_network(entry.run, entry.run.epochs()[-1]), None
    network = trained_network(entry.run, entry.summary.epoch)
    return network, training_features(entry.run, network)


def _trains(entry: Entry) -> bool:
    job = session.current_job()
    return job is not None and job.is_running and job.run.id == entry.id


def prepare_answers(named: Mapping[str, Entry]) -> None:
    """Load what the first prediction would otherwise wait for."""
    for entry in named.values():
        if not _trains(entry):
            newest(entry)


def training_features(run: Run, network: Trained) -> TrainingFeatures:
    """Compute the network's features of the run's training images; cached."""
    return _familiarity(f"{run.id}.{network.epoch}", run, network)


@st.cache_resource(max_entries=16, show_spinner="Looking at what it learned from")
def _familiarity(at: str, _run: Run, _trained: Trained) -> TrainingFeatures:
    return TrainingFeatures.of(_trained, data_of(_run), _run.config)
