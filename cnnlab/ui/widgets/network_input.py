"""The part of a run's form about the network: presets, saved designs, the one from Design or an earlier run."""

from __future__ import annotations

import streamlit as st

from cnnlab.networks.architecture import Architecture
from cnnlab.networks.layers import Resize
from cnnlab.pretrained.table import NETWORKS
from cnnlab.training.recipes import DEFAULT, RECIPES
from cnnlab.ui.shell import frame, session
from cnnlab.ui.shell.state import FORM_OWN_NETWORK, form_field
from cnnlab.ui.widgets.bounds import is_within
from cnnlab.ui.widgets.config_inputs import choice, is_fixed


def pick_network() -> Architecture:
    """Choose a preset, a saved design that can be trained, or the network from Design or an earlier run."""
    known = networks()
    if form_field("architecture").get() not in known:
        form_field("architecture").put(RECIPES[DEFAULT].config.architecture.name)
    labels = frame.distinct_labels({name: network.title for name, network in known.items()})
    return known[choice("architecture", list(known), labels.__getitem__)]


def resized(network: Architecture) -> Architecture:
    """Show the size that a network's first layer gives its images, where it has such a layer, and set it."""
    first, *others = network.layers
    if not isinstance(first, Resize):
        return network
    key = form_field("image_size")
    key.fill(first.size)
    size = st.number_input(
        "Images are resized to, px",
        step=32,
        key=key.name,
        persist_state="session",
        help="Larger images show more detail. The time grows with their area.",
        disabled=is_fixed("architecture"),
    )
    is_within(size, Resize.model_json_schema()["properties"]["size"])
    return network.model_copy(update={"layers": (first.model_copy(update={"size": size}), *others)})


def networks() -> dict[str, Architecture]:
    """Return all networks that can be chosen, by name."""
    known = NETWORKS | session.shelf().networks()
    if own := FORM_OWN_NETWORK.get():
        network = Architecture.model_validate_json(own)
        known = {network.name: network} | known | {network.name: network}
    return known


def offer(network: Architecture) -> None:
    """Choose ``network`` in the form, even if it is neither a preset nor saved."""
    if NETWORKS.get(network.name) != network:
        if network.name in NETWORKS:
            network = network.model_copy(update={"name": f"own-{network.name}"[:60]})
        FORM_OWN_NETWORK.put(network.model_dump_json())
    form_field("architecture").put(network.name)
    form_field("image_size").drop()  # the network's own
