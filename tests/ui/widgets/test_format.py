from __future__ import annotations

import pytest

from cnnlab.ui.widgets.format import counted, duration, size, time_taken


@pytest.mark.parametrize(
    ("given", "shown"),
    [(0, "0 B"), (512, "512 B"), (1500, "1.5 kB"), (999_600, "1 MB"), (12_345_678, "12 MB"), (5e15, "5,000 TB")],
)
def test_bytes_have_their_unit(given: float, shown: str) -> None:
    assert size(given) == shown


@pytest.mark.parametrize(("given", "shown"), [(0, "0"), (640, "640"), (20_183_936, "20 M"), (1.8e9, "1.8 G")])
def test_large_numbers_are_short(given: float, shown: str) -> None:
    assert counted(given) == shown


@pytest.mark.parametrize(
    ("given", "shown"), [(0.0042, "4.2 ms"), (0.5, "500 ms"), (1.25, "1.2 s"), (100, "100 s"), (600, "10 min")]
)
def test_a_duration_has_its_unit(given: float, shown: str) -> None:
    assert duration(given) == shown


@pytest.mark.parametrize(("given", "shown"), [(0, "under 1 s"), (0.9, "under 1 s"), (1, "1 s"), (200, "3 min")])
def test_what_took_time_never_took_none(given: float, shown: str) -> None:
    assert time_taken(given) == shown
