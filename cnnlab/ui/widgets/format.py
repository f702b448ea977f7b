"""Quantities as pages format them: the names of ``cnnlab.quantities``."""

from cnnlab.quantities import counted, duration, p_cell, p_value, percent, rough_duration, signed, size, time_taken

__all__ = ["counted", "duration", "p_cell", "p_value", "percent", "rough_duration", "signed", "size", "time_taken"]
