from __future__ import annotations

import pytest

from cnnlab.people.quotas import Quotas, Use, refusal, told

QUOTAS = Quotas(running=1, queued=3, images_a_day=1_000_000, disk_mb=100)
USED = Use(queued=2, images=900_000, bytes=90_000_000, renews_in=7200)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (Use(queued=1, images=100_000, bytes=10_000_000), ""),
        (Use(queued=2), "3 of your trainings wait or run: remove one"),
        (Use(images=100_001), "100 k of 1 M left today: train for fewer epochs"),
        (Use(images=100_001), "More are free in 2 h"),
        (Use(images=1_000_001), "1 M a day: train for fewer epochs"),
        (Use(bytes=10_000_001), "take 90 MB of your 100 MB of disk, and this needs 10 MB: delete runs on Compare"),
    ],
)
def test_what_exceeds_a_quota_is_refused_with_what_is_used_up_and_how_to_free_it(more: Use, why: str) -> None:
    assert why in refusal(QUOTAS, USED, more)
    assert bool(refusal(QUOTAS, USED, more)) == bool(why)


def test_without_quotas_everything_fits_and_nothing_is_told() -> None:
    much = Use(queued=1000, images=10**12, bytes=10**15)
    assert not refusal(Quotas(), much, much)
    assert not told(Quotas(), much, much)


def test_what_a_start_takes_is_told_with_what_is_left() -> None:
    assert told(QUOTAS, USED, Use(queued=1, images=50_000, bytes=2_000_000)) == [
        "50 k images in all epochs, of 100 k left today",
        "10 MB of disk left",
        "2 of 3 trainings in the queue",
    ]


def test_who_has_used_more_than_their_quota_may_still_do_what_takes_nothing() -> None:
    over = Use(queued=1, bytes=200_000_000)
    assert not refusal(QUOTAS, over, Use())
    assert "0 B of disk left" in told(QUOTAS, over, Use())[1]
