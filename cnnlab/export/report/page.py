"""The page of a report: templates with every text escaped, its style within, nothing fetched and nothing run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cnnlab.quantities import p_cell, percent, signed, time_taken
from cnnlab.text import one_line
from cnnlab.training.titles import value_title


def rendered(template: str, **parts: object) -> bytes:
    """Fill a template of this folder; whatever is no Markup is escaped."""
    return _templates().get_template(template).render(**parts).encode()


@cache
def _templates() -> Environment:
    source = PackageLoader("cnnlab.export.report", "templates")
    templates = Environment(
        loader=source, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_text
    )
    templates.filters |= {
        "percent": percent,
        "interval": _interval,
        "signed": signed,
        "value": value_title,
        "p": p_cell,
        "seconds": _seconds,
    }
    templates.globals["style"] = Markup(source.get_source(templates, "report.css")[0])
    return templates


def _text(value: object) -> object:
    """Take strangers' text as one line of characters that can be seen; keep Markup as it is."""
    return one_line(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _interval(bounds: Sequence[float]) -> str:
    low, high = bounds
    return f"{percent(low, (low, high))} to {percent(high, (low, high))}"


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else time_taken(seconds)
