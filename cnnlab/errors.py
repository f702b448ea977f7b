"""The root of all errors whose message is for the user: what is wrong and how to mend it, in one line."""

from __future__ import annotations

from pydantic import ValidationError


class CnnLabError(Exception):
    """Something that a user did or has cannot be used; the message says why, and what to do."""


def first_error(error: ValidationError) -> str:
    """Tell where the first thing that is wrong lies and what it is: one line, however long a name it was given."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(_printable(str(part)[:60]) for part in first["loc"][:12])
    what = _printable(first["msg"].removeprefix("Value error, "))
    return f"{where}: {what}" if where else what


def _printable(text: str) -> str:
    return text if text.isprintable() else ascii(text)
