"""One HTML file that answers in a browser, offline."""

from __future__ import annotations

from cnnlab.export.portable import Portable
from cnnlab.export.web.page import html_page


def write(portable: Portable) -> bytes:
    """Write the page, its weights in 16 bits. It checks itself against its examples before it answers.

    Raises ExportError where the rounded weights answer otherwise than the app does.
    """
    return html_page(portable)
