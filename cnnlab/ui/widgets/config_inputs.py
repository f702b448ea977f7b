"""Inputs of the form for single settings of a RunConfig."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, get_args

import streamlit as st

from cnnlab.training.config import COUNTS_WITH, RunConfig, field_title
from cnnlab.training.titles import value_title
from cnnlab.ui.shell.state import form_field
from cnnlab.ui.widgets.bounds import is_within

FIXED_HELP = "Your teacher fixed this for the assignment."

_fixed: ContextVar[frozenset[str]] = ContextVar("fields that cannot be changed", default=frozenset())
_left_out: ContextVar[frozenset[str]] = ContextVar("fields without an input", default=frozenset())


@contextmanager
def without(fields: Iterable[str]) -> Iterator[None]:
    """Show no inputs for these fields within the block: they have their defaults there, as others decide them."""
    token = _left_out.set(frozenset(fields))
    try:
        yield
    finally:
        _left_out.reset(token)


@contextmanager
def fixed(fields: Iterable[str]) -> Iterator[None]:
    """Show the inputs for these fields within the block disabled, with the reason."""
    token = _fixed.set(frozenset(fields))
    try:
        yield
    finally:
        _fixed.reset(token)


def is_fixed(field: str) -> bool:
    """Tell whether the input for a field is disabled."""
    return field in _fixed.get()


def alike(field: str, hint: str | None = None, note: str = "") -> dict[str, Any]:
    """Return the arguments that the inputs for all fields have alike; ``note`` follows the field's title."""
    return {
        "label": f"{field_title(field)}{note}",
        "key": form_field(field).name,
        "persist_state": "session",
        "help": FIXED_HELP if is_fixed(field) else hint,
        "disabled": is_fixed(field),
    }


def counts(field: str) -> bool:
    """Tell whether a setting has an effect, or may have where what decides on it is searched: only then is it shown."""
    decisive, values = COUNTS_WITH[field]
    return decisive in _left_out.get() or form_field(decisive).get() in values


def choice(
    field: str,
    options: list[str] | None = None,
    shown: Callable[[str], str] = value_title,
    hint: str | None = None,
) -> str:
    """Show a choice among ``options``, by default all values of the field."""
    if field in _left_out.get():
        return str(_default(field))
    if options is None:
        options = list(get_args(RunConfig.model_fields[field].annotation))
    chosen: str = st.selectbox(options=options, format_func=shown, **alike(field, hint))
    return chosen


def integer(field: str, hint: str | None = None, note: str = "") -> int:
    """Show an input for a whole number, ``note`` after its title, and beside it where the field does not take it."""
    if field in _left_out.get():
        return int(_default(field))
    value: int = st.number_input(step=1, **alike(field, hint, note))
    is_within(value, _bounds(field))
    return value


def number(field: str, step: float, form: str = "%.2f", hint: str | None = None, note: str = "") -> float:
    """Show an input for a number in the format ``form``, else as ``integer``."""
    if field in _left_out.get():
        return float(_default(field))
    value: float = st.number_input(step=step, format=form, **alike(field, hint, note))
    is_within(value, _bounds(field))
    return value


def text(field: str, hint: str | None = None, note: str = "") -> str:
    """Show an input for text, else as ``integer``; the config says what is wrong with it."""
    if field in _left_out.get():
        return str(_default(field))
    typed: str = st.text_input(max_chars=1000, **alike(field, hint, note))
    return typed


def _default(field: str) -> Any:
    """Return the default of a field, of the network its name."""
    default = RunConfig.model_fields[field].default
    return default.name if field == "architecture" else default


@cache
def _bounds(field: str) -> dict[str, Any]:
    """Return the bounds of a field of RunConfig, as its JSON schema has them."""
    schema: dict[str, Any] = RunConfig.model_json_schema()["properties"][field]
    return schema
