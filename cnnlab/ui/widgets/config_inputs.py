"""Inputs of the form for single settings of a RunConfig."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import streamlit as st

from cnnlab.training.config import RunConfig
from cnnlab.ui.shell.state import form_field

_TITLES = {
    "sgd": "SGD",
    "adam": "Adam",
    "adamw": "AdamW",
    "rmsprop": "RMSprop",
    "cpu": "CPU",
    "cuda": "CUDA",
    "trivial": "TrivialAugment",
    "weights": "class weights in the loss",
    "sampling": "draw all classes equally often",
    "standard": "(x − mean) / std",
    "unit": "0 … 1",
    "symmetric": "−1 … 1",
}


def title(value: str) -> str:
    """Return the name of one of a setting's values as users read it."""
    return _TITLES.get(value, value)


def choice(
    label: str,
    field: str,
    options: list[str] | None = None,
    shown: Callable[[str], str] = title,
    hint: str | None = None,
) -> str:
    """Show a choice among ``options``, by default all values of the field."""
    if options is None:
        options = list(get_args(RunConfig.model_fields[field].annotation))
    key = form_field(field).name
    return st.selectbox(label, options, format_func=shown, key=key, persist_state="session", help=hint)


def integer(label: str, field: str, low: int, high: int, hint: str | None = None) -> int:
    """Show an input for a whole number."""
    return st.number_input(label, low, high, step=1, key=form_field(field).name, persist_state="session", help=hint)


def number(
    label: str, field: str, low: float, high: float, step: float, form: str = "%.2f", hint: str | None = None
) -> float:
    """Show an input for a number, written in the format ``form``."""
    key = form_field(field).name
    return st.number_input(label, low, high, step=step, format=form, key=key, persist_state="session", help=hint)
