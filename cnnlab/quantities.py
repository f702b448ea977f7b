"""Quantities as users read them: with units, as short as a table needs them."""

from __future__ import annotations

from math import isnan

MINUTE, HOUR = 60, 3600  # seconds
NARROW = 0.001  # an interval of a share, from which on a second decimal means something
SMALLEST_P = 0.001


def size(count: float) -> str:
    """Format bytes: 512 B, 1.5 kB, 12 MB."""
    return _scaled(count, ("B", "kB", "MB", "GB", "TB"))


def counted(number: float) -> str:
    """Format a count: 1,500,000 → 1.5 M."""
    return _scaled(number, ("", "k", "M", "G", "T"))


def two_digits(number: float) -> str:
    """Write a number with two digits that count: 0.034, 1.5, 150."""
    return f"{float(f'{number:.2g}'):,g}"


def percent(share: float, interval: tuple[float, float] = (0.0, 1.0)) -> str:
    """Format a share: 97.6%; with a second decimal where its interval is narrower than 0.1 points."""
    low, high = interval
    return f"{share:.2%}" if 0 < high - low < NARROW else f"{share:.1%}"


def signed(change: float, form: str = ".1f") -> str:
    """Format a difference with its sign, a real minus where it is negative: +1.2, −0.4."""
    return f"{change:+{form}}".replace("-", "−")


def p_value(p: float) -> str:
    """Format a p-value: "= 0.032", "< 0.001"."""
    return "< 0.001" if p < SMALLEST_P else f"= {p:.2g}"


def p_cell(p: float) -> str:
    """Format a p-value for a table: "0.032", "< 0.001"; empty where there is none."""
    return "" if isnan(p) else p_value(p).removeprefix("= ")


def energy(joules: float) -> str:
    """Format an energy: 950 J, 1.5 kJ, 12 MJ."""
    return _scaled(joules, ("J", "kJ", "MJ", "GJ"))


def duration(seconds: float) -> str:
    """Format seconds: 4.2 ms, 1.3 s, 3 min 12 s."""
    if seconds < 1:
        return f"{_short(seconds * 1000)} ms"
    return f"{_short(seconds)} s" if seconds < MINUTE else rough_duration(seconds)


def rough_duration(seconds: float) -> str:
    """Format seconds without a fraction: 40 s, 3 min 12 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s".removesuffix(" 0 s")
    return f"{whole // HOUR} h {whole % HOUR // MINUTE} min".removesuffix(" 0 min")


def time_taken(seconds: float) -> str:
    """Format the seconds that something took: as roughly as those of an estimate, but never none."""
    return "under 1 s" if seconds < 1 else rough_duration(seconds)


def estimate(seconds: float) -> str:
    """Format the seconds that something will take: about 3 min 12 s, under 1 s."""
    return f"{'about ' * (seconds >= 1)}{time_taken(seconds)}"


def _scaled(number: float, units: tuple[str, ...]) -> str:
    step = 0
    while number >= 999.5 and step < len(units) - 1:
        number, step = number / 1000, step + 1
    return f"{_short(number)} {units[step]}".rstrip()


def _short(number: float) -> str:
    """Format with two significant digits, more only before the point."""
    return f"{number:.2g}" if 0 < number < 9.95 else f"{number:,.0f}"
