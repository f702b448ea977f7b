from __future__ import annotations

import pytest

from cnnlab.quantities import (
    counted,
    duration,
    estimate,
    p_cell,
    p_value,
    percent,
    signed,
    size,
    time_taken,
    two_digits,
)


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
    ("given", "shown"),
    [(0.0042, "4.2 ms"), (0.5, "500 ms"), (1.25, "1.2 s"), (100, "1 min 40 s"), (600, "10 min"), (7500, "2 h 5 min")],
)
def test_a_duration_has_its_unit(given: float, shown: str) -> None:
    assert duration(given) == shown


@pytest.mark.parametrize(("given", "shown"), [(0, "under 1 s"), (0.9, "under 1 s"), (1, "1 s"), (200, "3 min 20 s")])
def test_what_took_time_never_took_none(given: float, shown: str) -> None:
    assert time_taken(given) == shown


@pytest.mark.parametrize(("given", "shown"), [(0.084, "under 1 s"), (1, "about 1 s"), (7500, "about 2 h 5 min")])
def test_what_will_take_time_takes_about_so_much_and_never_none(given: float, shown: str) -> None:
    assert estimate(given) == shown


def test_a_share_has_a_second_decimal_where_its_interval_is_narrow() -> None:
    assert (percent(0.97604), percent(0.99123, (0.985, 0.995))) == ("97.6%", "99.1%")
    assert percent(0.99912, (0.9987, 0.9995)) == "99.91%"


def test_a_difference_has_its_sign() -> None:
    assert (signed(1.24), signed(-0.4), signed(-3, "d")) == ("+1.2", "−0.4", "−3")


def test_a_small_p_is_a_bound() -> None:
    assert (p_value(0.0321), p_value(0.0002)) == ("= 0.032", "< 0.001")
    assert (p_cell(0.0321), p_cell(0.0002), p_cell(float("nan"))) == ("0.032", "< 0.001", "")


def test_two_digits_are_never_written_as_a_power_of_ten() -> None:
    assert [two_digits(number) for number in (0.0341, 1.0, 148.7, 12_345.0, -0.13)] == [
        "0.034",
        "1",
        "150",
        "12,000",
        "-0.13",
    ]
