from __future__ import annotations

from cnnlab.people.attempts import OF_ALL, OF_ONE, SECONDS, Attempts


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_one_address_has_to_wait_after_many_wrong_codes_while_others_may_try() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(OF_ONE):
        assert attempts.is_allowed("a")
        attempts.note("a")
    assert not attempts.is_allowed("a")
    assert attempts.is_allowed("b")
    clock.now = SECONDS
    assert attempts.is_allowed("a")


def test_all_addresses_together_have_a_limit_too() -> None:
    attempts = Attempts(Clock())
    for number in range(OF_ALL):
        attempts.note(str(number))
    assert not attempts.is_allowed("another")
