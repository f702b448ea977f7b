from __future__ import annotations

from cnnlab.jobs.fair_share import FIRST_SLICE_SECONDS, HALF_LIFE, SLICE_SECONDS, FairShare, Ticket

LATER = FIRST_SLICE_SECONDS + 1


def entered(share: FairShare, *names: str, now: float = 0.0, in_order: bool = False) -> FairShare:
    """Let trainings come, whose owner is the first letter of their name."""
    for name in names:
        share.enter(name, Ticket(name[0], in_order), now)
    return share


def places(share: FairShare, *names: str) -> list[int]:
    return [share.place(name, 0.0) for name in names]


def running(share: FairShare, *names: str) -> list[str]:
    return [name for name in names if share.has_slot(name)]


def test_of_one_owner_the_oldest_comes_first() -> None:
    share = entered(FairShare(1), "a1", "a2", "a3")
    assert running(share, "a1", "a2", "a3") == ["a1"]
    assert places(share, "a1", "a2", "a3") == [0, 1, 2]
    share.leave("a1", 5.0)
    assert running(share, "a2", "a3") == ["a2"]


def test_an_owner_with_fewer_running_comes_before_the_older_trainings_of_another() -> None:
    share = entered(FairShare(2), "a1", "a2", "a3", "a4", "b1", "c1")
    assert places(share, "b1", "c1", "a3", "a4") == [1, 2, 3, 4]
    share.leave("a1", 5.0)
    assert running(share, "a3", "b1") == ["b1"]


def test_of_two_owners_with_as_many_running_the_one_who_has_used_less_comes_first() -> None:
    share = entered(FairShare(1), "a1", "a2")
    share.leave("a1", 5.0)  # a2 follows
    entered(share, "b1", now=6.0)
    entered(share, "a3", now=6.0)
    share.leave("a2", 20.0)
    assert running(share, "a3", "b1") == ["b1"]
    share.leave("b1", 100.0)  # 80 s, a has used 20
    entered(share, "b2", now=100.0)
    share.leave("a3", 101.0)
    assert running(share, "b2") == ["b2"]


def test_what_was_used_long_ago_hardly_counts() -> None:
    share = entered(FairShare(1), "a1")
    share.leave("a1", 1000.0)
    long_after = 1000.0 + 20 * HALF_LIFE
    entered(share, "c1", now=long_after)
    entered(share, "b1", "a2", now=long_after)
    share.leave("b1", long_after)
    entered(share, "b2", now=long_after + 5)
    share.leave("c1", long_after + 10)
    assert running(share, "a2") == ["a2"]


def test_the_first_slice_is_short_and_over_only_when_another_owner_waits() -> None:
    share = entered(FairShare(1), "a1")
    assert not share.is_over("a1", LATER)
    entered(share, "b1", now=1.0)
    assert not share.is_over("a1", FIRST_SLICE_SECONDS - 1)
    assert share.is_over("a1", LATER)
    assert not share.is_over("b1", LATER)  # it waits
    assert not share.is_over("unknown", LATER)


def test_later_slices_are_long() -> None:
    share = entered(FairShare(1), "a1", "b1")
    for gone, back in (("a1", "b1"), ("b1", "a1")):
        share.rest(gone, LATER)
        entered(share, gone, now=LATER)
        assert running(share, "a1", "b1") == [back]
    assert not share.is_over("a1", LATER + SLICE_SECONDS - 1)
    assert share.is_over("a1", LATER + SLICE_SECONDS + 1)


def test_it_gives_way_to_nobody_who_is_placed_worse() -> None:
    share = entered(FairShare(2), "a1", "a2")
    entered(share, "b1", now=1.0)
    share.leave("a2", 2.0)  # b1 follows
    entered(share, "a3", now=3.0)
    assert share.is_over("a1", 100.0)  # a3 is as old as any other of a's
    assert not share.is_over("b1", 100.0)  # a has one running already


def test_a_sole_owners_trainings_take_turns_but_for_those_in_order() -> None:
    turns = entered(FairShare(1), "a1", "a2")
    assert turns.is_over("a1", LATER)
    line = entered(FairShare(1), "a1", "a2", in_order=True)
    assert not line.is_over("a1", 1000.0)
    entered(line, "a3")  # of the same owner, in no order, as an experiment on another page
    assert line.is_over("a1", 1000.0)


def test_of_trainings_in_order_the_first_comes_back_before_the_second() -> None:
    share = entered(FairShare(1), "a1", "a2", in_order=True)
    entered(share, "b1", now=1.0)
    share.rest("a1", LATER)
    entered(share, "a1", now=LATER, in_order=True)
    assert running(share, "a1", "a2", "b1") == ["b1"]
    assert places(share, "a1", "a2") == [1, 2]
    share.leave("b1", 1000.0)
    assert running(share, "a1", "a2") == ["a1"]


def test_one_that_rests_neither_runs_nor_waits_and_holds_up_nobody() -> None:
    share = entered(FairShare(1), "a1", "a2", in_order=True)
    share.rest("a1", 5.0)
    assert running(share, "a1", "a2") == ["a2"]
    assert places(share, "a1", "a2") == [0, 0]
    share.rest("unknown", 5.0)
    share.leave("unknown", 5.0)


def test_a_limit_keeps_an_owners_others_waiting_though_slots_are_free() -> None:
    share = FairShare(3)
    share.limit("a", 1, 0.0)
    entered(share, "a1", "a2", "b1")
    assert running(share, "a1", "a2", "b1") == ["a1", "b1"]
    assert places(share, "a2") == [1]
    share.leave("a1", LATER)
    assert running(share, "a2", "b1") == ["a2", "b1"]
    entered(share, "a3")
    share.limit("a", None, LATER)
    assert running(share, "a2", "a3") == ["a2", "a3"]


def test_others_pass_who_has_reached_a_limit() -> None:
    share = FairShare(2)
    share.limit("a", 1, 0.0)
    entered(share, "a1", "a2", "b1", "b2")
    assert running(share, "a1", "b1") == ["a1", "b1"]
    assert places(share, "b2", "a2") == [1, 2]


def trial(share: FairShare, *names: str, now: float = 0.0) -> None:
    for name in names:
        share.enter(name, Ticket(name[0], is_trial=True), now)


def test_who_gets_a_trials_slot_has_it_at_once_and_the_trial_takes_its_last_step() -> None:
    share = FairShare(2)
    trial(share, "a1", "a2", "a3")
    entered(share, "b1", now=1.0)
    assert running(share, "a1", "a2", "b1") == ["a1", "a2", "b1"]
    assert [share.is_over(name, 1.0) for name in ("a1", "a2", "b1")] == [True, False, False]
    entered(share, "c1", now=1.0)
    assert running(share, "c1") == ["c1"]
    assert share.is_over("a2", 1.0)
    entered(share, "d1", now=1.0)
    assert share.place("d1", 1.0) == 1  # no trial is left to take turns with
    share.rest("a1", 1.1)
    share.leave("a2", 1.1)
    assert running(share, "a1", "a2", "b1", "c1", "d1") == ["b1", "c1"]
    assert share.place("d1", 1.1) == 1
    share.leave("b1", 1.2)
    assert running(share, "d1") == ["d1"]


def test_a_trial_that_gave_its_slot_up_has_one_again_when_its_turn_comes() -> None:
    share = FairShare(1)
    trial(share, "a1")
    entered(share, "b1", now=1.0)
    share.rest("a1", 1.1)
    trial(share, "a1", now=1.1)
    assert share.place("a1", 1.1) == 1
    share.leave("b1", 5.0)
    assert running(share, "a1") == ["a1"]
    assert not share.is_over("a1", 6.0)


def test_where_a_slot_cannot_be_shared_trials_yield_at_once_and_to_one_another_in_slices() -> None:
    share = FairShare(2, can_be_shared=False)
    trial(share, "a1", "a2", "a3")
    assert not share.is_over("a1", 1.0)  # a3 is of the same sweep
    entered(share, "b1", now=1.0)
    assert share.is_over("a1", 1.0)
    share.rest("a1", 1.0)
    assert running(share, "a2", "b1") == ["a2", "b1"]
    trial(share, "a1", now=1.0)
    assert not share.is_over("a2", 1.1)  # nobody else waits any more
    assert not share.is_over("b1", 2.0)  # it has its slice


def test_of_two_sweeps_none_yields_to_the_other_before_its_slice_is_over() -> None:
    share = FairShare(1)
    trial(share, "a1", "b1")
    assert not share.is_over("a1", FIRST_SLICE_SECONDS - 1)
    assert share.is_over("a1", LATER)


def test_a_trial_yields_to_nobody_who_is_placed_worse() -> None:
    share = entered(FairShare(2), "b1")
    trial(share, "a1")
    entered(share, "b2", now=1.0)
    assert running(share, "b2") == []  # b has one already
    assert not share.is_over("a1", 1.0)
