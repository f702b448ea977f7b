"""The base class of all errors whose message is for the user: what is wrong and how to fix it, in one line."""

from __future__ import annotations

from pydantic import ValidationError

_WORDS = {  # for pydantic's own, by the type of the error; what is in braces is its context
    "greater_than": "more than {gt:,.10g}",
    "greater_than_equal": "at least {ge:,.10g}",
    "less_than": "less than {lt:,.10g}",
    "less_than_equal": "at most {le:,.10g}",
    "int_parsing": "not a whole number",
    "int_from_float": "not a whole number",
    "float_parsing": "not a number",
    "finite_number": "not a finite number",
    "literal_error": "one of {expected}",
    "string_too_long": "at most {max_length:,} characters",
}


class CnnLabError(Exception):
    """An error caused by the user's input or data; the message says what is wrong and what to do."""


def first_error(error: ValidationError) -> str:
    """Describe the first error and its position: one line, however long the names in it."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(_printable(str(part)[:60]) for part in first["loc"][:12])
    words = _WORDS.get(first["type"])
    what = words.format(**first["ctx"]) if words and "ctx" in first else words or first["msg"]
    what = _printable(what.removeprefix("Value error, "))
    return f"{where}: {what}" if where else what


def _printable(text: str) -> str:
    return text if text.isprintable() else ascii(text)
