"""A trained network as one C header for microcontrollers: a call of a small function for each step."""

from cnnlab.export.c.header import header, rounded_network

__all__ = ["header", "rounded_network"]
