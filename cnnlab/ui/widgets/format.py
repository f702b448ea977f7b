"""Numbers formatted with units, as short as a table needs them."""

from __future__ import annotations


def size(count: float) -> str:
    """Format bytes: 512 B, 1.5 kB, 12 MB."""
    return _scaled(count, ("B", "kB", "MB", "GB", "TB"))


def counted(number: float) -> str:
    """Format a count: 1,500,000 → 1.5 M."""
    return _scaled(number, ("", "k", "M", "G", "T"))


def duration(seconds: float) -> str:
    """Format seconds: 0.0042 → 4.2 ms."""
    if seconds < 1:
        return f"{_short(seconds * 1000)} ms"
    return f"{_short(seconds)} s" if seconds < 120 else f"{_short(seconds / 60)} min"


def rough_duration(seconds: float) -> str:
    """Format seconds roughly: "40 s", "3 min"."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def time_taken(seconds: float) -> str:
    """Format the seconds that something took: as roughly as those of an estimate, but never none."""
    return "under 1 s" if seconds < 1 else rough_duration(seconds)


def _scaled(number: float, units: tuple[str, ...]) -> str:
    step = 0
    while number >= 999.5 and step < len(units) - 1:
        number, step = number / 1000, step + 1
    return f"{_short(number)} {units[step]}".rstrip()


def _short(number: float) -> str:
    """Format with two significant digits, more only before the point."""
    return f"{number:.2g}" if 0 < number < 9.95 else f"{number:,.0f}"
