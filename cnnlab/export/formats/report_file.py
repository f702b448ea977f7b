"""The report of the network's run, one HTML page to read and to print."""

from __future__ import annotations

from cnnlab.export.portable import Portable
from cnnlab.export.report.run_report import run_report


def write(portable: Portable) -> bytes:
    """Write the report. Raises as ``run_report``."""
    return run_report(portable)
