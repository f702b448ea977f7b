"""One HTML file that answers in a browser, offline."""

from __future__ import annotations

from contextlib import suppress

from cnnlab.export.portable import ExportError, Portable
from cnnlab.export.web.page import Weights, html_page

_SMALLER: tuple[Weights, ...] = ("int8", "float16")


def write(portable: Portable) -> bytes:
    """Write the page with weights of 8 bits, or of 16 or 32 where fewer change its answers.

    It checks itself against its examples before it answers. Raises ExportError as ``html_page``.
    """
    for weights in _SMALLER:
        with suppress(ExportError):
            return html_page(portable, weights)
    return html_page(portable, "float32")
