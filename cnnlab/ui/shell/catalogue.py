"""The list of this server's runs, read once for all sessions."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from cnnlab.runs.catalogue import Catalogue
from cnnlab.runs.listing import Listing
from cnnlab.runs.store import RunStore, runs_folder

LOOKS_EVERY = 1.0  # seconds, at what was changed by hand or by a training that was killed


def entries() -> Listing:
    """Return all readable runs, the newest first, whoever may see them."""
    return _catalogue(str(runs_folder())).entries()


@st.cache_resource(show_spinner=False)
def _catalogue(folder: str) -> Catalogue:
    return Catalogue(RunStore(Path(folder)), LOOKS_EVERY)
