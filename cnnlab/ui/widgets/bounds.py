"""What a number field takes, said beside it.

Given bounds of its own, Streamlit's field keeps the last right number while it shows another, and trains that.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

_RULES: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "minimum": ("at least {:,.10g}", operator.ge),
    "exclusiveMinimum": ("more than {:,.10g}", operator.gt),
    "maximum": ("at most {:,.10g}", operator.le),
    "exclusiveMaximum": ("less than {:,.10g}", operator.lt),
}


def between(low: float, high: float) -> dict[str, float]:
    """Return bounds as a JSON schema has them."""
    return {"minimum": low, "maximum": high}


def whole_number(label: str, low: int, high: int, width: int | None = None, **field: Any) -> int | None:
    """Show a field of ``width`` pixels for a whole number; return None, and say what it takes, where it is outside."""
    with st.container(width=width or "stretch", gap="xsmall"):
        value = st.number_input(label, step=1, **field)
        return int(value) if is_within(value, between(low, high)) else None


def is_within(value: float, schema: Mapping[str, Any]) -> bool:
    """Check a number against a JSON schema's bounds; where it is outside, show what the field takes."""
    rules = {name: schema[name] for name in _RULES if name in schema}
    holds = all(_RULES[name][1](value, bound) for name, bound in rules.items())
    if not holds:
        words = " and ".join(_RULES[name][0].format(bound) for name, bound in rules.items())
        st.markdown(f":small[:red[:material/error: It must be {words}.]]")
    return holds
