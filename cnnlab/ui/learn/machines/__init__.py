"""Chapter: the small machines between convolutions. One is fed at a time."""

from __future__ import annotations

from importlib import import_module

import streamlit as st

MACHINES = {  # title: module beside this one
    "Pooling": "pooling",
    "Activation": "activation",
    "Batch norm": "batch_norm",
    "Dropout": "dropout",
    "Flatten": "flatten",
    "Softmax and loss": "softmax",
}


def show() -> None:
    """The machine that is chosen; the address names it."""
    chosen = st.segmented_control(
        "Machine", list(MACHINES), default="Pooling", required=True, key="learn.machines.machine", bind="query-params"
    )
    import_module(f"cnnlab.ui.learn.machines.{MACHINES[chosen]}").show()
