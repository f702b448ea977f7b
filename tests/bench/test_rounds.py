from __future__ import annotations

from cnnlab.bench.rounds import in_turn, ratio


def test_sides_take_turns_and_the_first_round_only_warms_up() -> None:
    turns: list[str] = []

    def side(name: str) -> float:
        turns.append(name)
        return float(len(turns))

    rounds = in_turn({"ours": lambda: side("ours"), "other": lambda: side("other")}, 2)
    assert turns == ["ours", "other"] * 3
    assert rounds == [{"ours": 3.0, "other": 4.0}, {"ours": 5.0, "other": 6.0}]


def test_a_ratio_is_the_median_of_the_rounds_own() -> None:
    rounds = [{"a": 2.0, "b": 1.0}, {"a": 30.0, "b": 10.0}, {"a": 9.0, "b": 1.0}]
    assert ratio(rounds, "a", "b") == 3.0
