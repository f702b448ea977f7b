"""A trained network as one HTML file that answers offline: Python compiles it, plain JavaScript runs it."""

from cnnlab.export.web.page import html_page

__all__ = ["html_page"]
