"""The base class of all errors whose message is for the user: what is wrong and how to fix it, in one line."""

from __future__ import annotations

from pydantic import ValidationError


class CnnLabError(Exception):
    """An error caused by the user's input or data; the message says what is wrong and what to do."""


def first_error(error: ValidationError) -> str:
    """Describe the first error and its position: one line, however long the names in it."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(_printable(str(part)[:60]) for part in first["loc"][:12])
    what = _printable(first["msg"].removeprefix("Value error, "))
    return f"{where}: {what}" if where else what


def _printable(text: str) -> str:
    return text if text.isprintable() else ascii(text)
