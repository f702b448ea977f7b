"""What a training will leave on disk, told before it starts, with a warning where there is too little room."""

from __future__ import annotations

import streamlit as st

from cnnlab.data.datasets import DATASETS
from cnnlab.quantities import size
from cnnlab.runs.disk import RoomError, check_room, disk_needs, shortage
from cnnlab.runs.kept_epochs import RULE
from cnnlab.runs.store import runs_folder
from cnnlab.training.config import RunConfig
from cnnlab.ui.shell.literal import literal
from cnnlab.ui.shell.state import PROVABLE

EVERY = "Keeps the weights and the checkpoint of every epoch."


def tell_disk(config: RunConfig) -> None:
    """Say which epochs a training keeps and what it takes on disk."""
    needs = disk_needs(config, DATASETS[config.dataset], provable=PROVABLE.get())
    st.caption(f"Keeps {needs.title} on disk.", help=EVERY if PROVABLE.get() else RULE)
    warn_of_disk(needs.bytes)


def provable_input(config: RunConfig) -> None:
    """Offer to keep the checkpoint of each epoch."""
    more = disk_needs(config, DATASETS[config.dataset], provable=True).bytes
    st.checkbox(
        f"Keep every checkpoint, {size(more)} in all",
        key=PROVABLE.name,
        persist_state="session",
        help="Then `cnnlab verify --level 2` can prove the run quickly: it trains a few epochs again, each from the "
        "checkpoint before it, and compares every bit.",
    )


def warn_of_disk(more: int) -> None:
    """Warn where ``more`` bytes are not free, or not allowed."""
    if trouble := _trouble(str(runs_folder()), more):
        st.warning(literal(trouble), icon=":material/hard_drive:")


@st.cache_data(ttl=5, max_entries=100, show_spinner=False)  # seconds: with thousands of runs it takes a while
def _trouble(at: str, more: int) -> str:
    try:
        check_room(runs_folder(), more)
    except RoomError as error:
        told = str(error)
        return f"{told[0].upper()}{told[1:]}."
    return shortage(runs_folder(), more)
