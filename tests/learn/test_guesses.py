"""How guesses are scored, and what is said of them."""

from __future__ import annotations

import pytest

from cnnlab.learn import ablation, dense_vs_conv, few_pictures, transfer
from cnnlab.learn.guesses import Ask, Guess, Outcome, Score, leads, record_in_words, score, score_in_words
from cnnlab.learn.shipped import shipped_ablation, shipped_comparison, shipped_contest, shipped_transfer

ASK = Ask("test", "Which is better?", ("a", "b"), "By how many points?", classes=("3", "5", "8"))
OUTCOME = Outcome(leads({"a": 97.0, "b": 96.0}), {"3": 4.0, "5": 1.0, "8": 2.0}, noise=0.5)


def test_a_right_choice_with_its_amount_and_class() -> None:
    assert score(Guess("a", 2.5, "8"), OUTCOME) == Score(True, 1.0, 1.5, 2)


def test_an_amount_for_the_wrong_choice_counts_from_its_negative_lead() -> None:
    assert score(Guess("b", 2.0), OUTCOME) == Score(False, -1.0, 3.0, None)


def test_an_amount_without_a_choice_is_compared_with_the_best() -> None:
    assert score(Guess(amount=0.5), OUTCOME) == Score(None, 1.0, -0.5, None)


def test_of_equals_each_is_right() -> None:
    outcome = Outcome({"a": 2.0, "b": 2.0, "c": 1.0})
    assert [score(Guess(name), outcome).is_right for name in "abc"] == [True, True, False]
    assert score_in_words(ASK, Guess("b"), outcome) == ["Right: b. So is a."]
    assert score_in_words(ASK, Guess("c"), outcome) == ["Not quite: “a” and “b”."]


@pytest.mark.parametrize(("amount", "is_noise"), [(1.4, True), (0.5, True), (1.6, False)])
def test_an_amount_may_be_as_close_as_chance_allows(amount: float, is_noise: bool) -> None:
    assert score(Guess("a", amount), OUTCOME).is_noise(OUTCOME) == is_noise
    assert ("within what chance explains (±0.5)" in score_in_words(ASK, Guess("a", amount), OUTCOME)[1]) == is_noise


def test_without_known_noise_no_amount_is_within_it() -> None:
    assert not score(Guess("a", 1.0), Outcome({"a": 1.0})).is_noise(Outcome({"a": 1.0}))


def test_a_score_in_words_says_what_was_guessed_and_what_came_out() -> None:
    assert score_in_words(ASK, Guess("b", 2.0, "8"), OUTCOME) == [
        "Not quite: “a”.",
        "You guessed 2 for “b”, it was −1 point: 3.0 too high.",
        "Class 3 differs most; 8 is number 2 of 3.",
    ]
    assert score_in_words(ASK, Guess("a", 1.0, "3"), OUTCOME) == [
        "Right: a.",
        "You guessed 1, it was 1 point: exact.",
        "Class 3 differs most, as you guessed.",
    ]
    assert score_in_words(Ask("", "", amount="Output", unit=""), Guess(amount=4.0), Outcome({"": 5.25})) == [
        "You guessed 4, it was 5.2: 1.2 too low."
    ]


def test_of_three_each_is_compared_with_the_best_of_the_others() -> None:
    assert leads({"a": 90.0, "b": 95.0, "c": 92.0}) == {"a": -5.0, "b": 3.0, "c": -3.0}


def test_a_record_adds_up_what_was_guessed() -> None:
    assert record_in_words([]) == ""
    assert record_in_words([Score(True, None, None, None)]) == "Your record: 1 guess, 1 of 1 right."
    scores = [Score(True, None, 2.0, 1), Score(False, None, 1.0, 4), Score(None, None, -0.6, None)]
    assert record_in_words(scores) == (
        "Your record: 3 guesses, 1 of 2 right, class right 1 of 2 times, off by 1.2 points in the mean."
    )


@pytest.mark.parametrize(("sign", "told"), [(1, "overestimate"), (-1, "underestimate")])
def test_a_record_tells_a_tendency_once_it_is_one(sign: int, told: str) -> None:
    off = [Score(True, None, sign * amount, None) for amount in (2.0, 1.0, 3.0, -0.5, 2.0)]
    assert f"and you tend to {told}" in record_in_words(off)
    assert "tend to" not in record_in_words(off[:4])
    balanced = [Score(True, None, amount, None) for amount in (2.0, -1.0, 3.0, -2.5, -2.0)]
    assert "tend to" not in record_in_words(balanced)


def test_chapters_ask_what_their_results_tell() -> None:
    contest, comparison = shipped_contest(dense_vs_conv.Terms()), shipped_comparison(few_pictures.Terms())
    assert contest
    assert comparison
    shifted = dense_vs_conv.to_guess(dense_vs_conv.Terms()).outcome(contest.reached)
    few = few_pictures.to_guess(few_pictures.Terms())
    assert shifted
    assert few
    by_shift = contest.reached.by_shift
    assert shifted.leads["dense"] == pytest.approx(100 * (by_shift["dense"][3] - by_shift["convolutional"][3]))
    outcome = few.outcome(comparison.reached)
    assert outcome
    assert outcome.best == ["from scratch"]
    assert few_pictures.to_guess(few_pictures.Terms(ways=("frozen",))) is None


def test_of_several_seeds_chance_is_told_and_a_loss_counts_as_a_lead_where_parts_are_removed() -> None:
    added, removed = ablation.Terms(), ablation.Terms("remove")
    for guessable, shipped, best in (
        (ablation.to_guess(added), shipped_ablation(added), "+ augmentation"),
        (ablation.to_guess(removed), shipped_ablation(removed), "− augmentation"),
        (transfer.to_guess(transfer.Terms()), shipped_transfer(transfer.Terms()), "copied and frozen"),
    ):
        assert shipped
        outcome = guessable.outcome(shipped.reached)
        assert outcome
        assert outcome.best == [best]
        assert set(outcome.leads) == set(guessable.ask.choices)
        assert outcome.leads[best] > 0
        assert outcome.noise
        assert outcome.noise > 1
    assert ablation.to_guess(added).ask.id != ablation.to_guess(removed).ask.id


@pytest.mark.parametrize(
    ("gaps", "told"), [({}, "Which class differs most is not known."), ({"3": 0.0, "5": 0.0}, "No class differs.")]
)
def test_a_class_is_no_right_guess_where_none_is_known_to_differ(gaps: dict[str, float], told: str) -> None:
    outcome = Outcome({"a": 0.0, "b": 0.0}, gaps)
    assert score(Guess(label="3"), outcome).rank is None
    assert score_in_words(ASK, Guess(label="3"), outcome) == [told]
