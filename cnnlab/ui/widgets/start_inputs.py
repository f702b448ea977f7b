"""The part of a run's form about weights to start from, and which layers learn."""

from __future__ import annotations

from itertools import islice
from typing import Any

import streamlit as st

from cnnlab.networks.architecture import Architecture
from cnnlab.pretrained.matching import backbones_for, cuts
from cnnlab.pretrained.table import BACKBONES, IMAGENET_TERMS
from cnnlab.pretrained.weights import known_digest
from cnnlab.runs.entry import Entry, stem_digest
from cnnlab.training.config import RunConfig, Start
from cnnlab.ui.shell import frame, session
from cnnlab.ui.shell.state import form_field
from cnnlab.ui.widgets.config_inputs import choice, integer, number

LATEST_RUNS = 20  # offered to start from


def start_inputs(network: Architecture) -> dict[str, Any]:
    """Show where the network's first weights come from, where there is a choice, and return the fields."""
    offered = _offered(network)
    start = form_field("start")
    if start.get() not in offered:
        start.put("")
    if len(offered) == 1:
        return {}
    chosen = choice(
        "start",
        list(offered),
        offered.__getitem__,
        "With weights from many images, a few dozen pictures of yours are enough. Only the last layers learn.",
    )
    if not chosen:
        return {}
    _tell_of(chosen)
    return {"start": chosen, **_learning(network), **_scale(chosen)}


def _offered(network: Architecture) -> dict[str, str]:
    """Return what can be started from, and its label: nothing, published weights, one's own runs."""
    offered = {"": "None: random initial weights"}
    offered |= {backbone.name: f"{backbone.title}, from ImageNet" for backbone in backbones_for(network)}
    alike_runs: dict[str, str] = {}
    first = stem_digest(network.layers)
    fitting = (entry for entry in session.trained_runs() if first and entry.stem == first)
    for entry in islice(fitting, LATEST_RUNS):
        alike_runs[f"{entry.id}@{entry.summary.epoch}"] = f"Yours, {_accuracy(entry)}{entry.title}"
    return offered | frame.distinct_labels(alike_runs)


def _tell_of(chosen: str) -> None:
    if backbone := BACKBONES.get(chosen):
        fetched = "" if known_digest(chosen) else " to download when training starts"
        st.caption(
            f"{backbone.megabytes:.0f} MB{fetched}, licence {backbone.licence}.",
            help=f"From {backbone.source}. {IMAGENET_TERMS}",
        )


def branch_inputs(network: Architecture) -> dict[str, Any]:
    """Show from which layer on a branch learns, and return the fields."""
    return _learning(network, is_branch=True)


def _learning(network: Architecture, is_branch: bool = False) -> dict[str, Any]:
    """Show from which layer on the network learns, and how; a branch learns at one rate."""
    names = [name for name, _ in network.named_layers]
    options = ["", *cuts(network)]
    if form_field("learn_from").get() not in options:
        form_field("learn_from").put("" if is_branch else options[-1])

    def told(name: str) -> str:
        if not name:
            return "all layers"
        before = names.index(name)
        return f"only {name}, the last" if name == options[-1] else f"{name} on ({before} of {len(names)} frozen)"

    learn_from = choice(
        "learn_from",
        options,
        told,
        "Earlier layers keep their weights. Their features are computed once and saved. So epochs take seconds, also "
        "in later runs.",
    )
    fields: dict[str, Any] = {"learn_from": learn_from, **(_variants() if learn_from else {})}
    if learn_from != options[-1] and not is_branch:
        fields["start_rate"] = number(
            "start_rate",
            0.05,
            "%.3f",
            "Pretrained layers should change little. New layers use the full learning rate.",
            ", as a fraction",
        )
    return fields


def _variants() -> dict[str, int]:
    copies = integer(
        "feature_copies",
        "1: only the unchanged image. More: also augmented variants, each as slow to compute. 0: new augmentation in "
        "every step, which computes the frozen layers each time.",
    )
    return {"feature_copies": copies}


def _scale(chosen: str) -> dict[str, str]:
    """Return the scale of pixels that published weights need."""
    return {"normalise": BACKBONES[chosen].normalise} if chosen in BACKBONES else {}


def fill_in(config: RunConfig) -> None:
    """Put the config's weights to start from into the form."""
    form_field("start").move_to(_name(config.start))


def _accuracy(entry: Entry) -> str:
    """Tell runs of one title apart where lists are narrow; empty for a run that was not tested."""
    accuracy = entry.test_accuracy
    return "" if accuracy is None else f"test {accuracy:.1%}: "


def _name(start: Start | None) -> str:
    return start.name if start else ""
