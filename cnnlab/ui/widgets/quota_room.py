"""What a start takes of a person's quotas, told before it, and why it does not fit; nothing where there are none."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from cnnlab.people.quotas import Use, refusal, told
from cnnlab.runs.store import runs_folder
from cnnlab.text import sentence
from cnnlab.ui.shell import person, quotas, session
from cnnlab.ui.shell.literal import literal

Needs = Callable[[], Use]


def exceeds(more: Needs) -> str:
    """Return why ``more`` does not fit into the session's person's quotas, as a sentence; empty where it fits."""
    if not quotas.are_limited():
        return ""
    return sentence(refusal(quotas.limits(), _used(), more()))


def tell_quota(more: Needs) -> None:
    """Say what a start takes of each quota and what is left, or why it does not fit."""
    if not quotas.are_limited():
        return
    if why := exceeds(more):
        st.warning(literal(why), icon=":material/hourglass_disabled:")
    elif lines := told(quotas.limits(), _used(), more()):
        st.caption(f":material/data_usage: Your share: {'; '.join(lines)}.")


def is_full() -> bool:
    """Check whether the person's disk quota is used up, and say so."""
    if why := exceeds(lambda: Use(bytes=1)):
        st.warning(literal(why), icon=":material/hard_drive:")
    return bool(why)


def _used() -> Use:
    return quotas.lately_used(str(runs_folder()), person.owner(), len(session.trainings()))
