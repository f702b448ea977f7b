"""Each trap run for real on the embedded sample: its symptom, and its mend."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from inspect import getsource

import pytest
import torch
import torch.nn.functional as F

from cnnlab.evaluation.evaluate import evaluate
from cnnlab.learn.chapters import CHAPTERS
from cnnlab.learn.pitfalls import PITFALLS, Finding, Picture
from cnnlab.learn.pitfalls.double_softmax import FLOOR
from cnnlab.learn.pitfalls.overfitting import keep_best, keep_last
from cnnlab.learn.pitfalls.pictures import MENDED, TRAPPED
from cnnlab.learn.pitfalls.plain_loop import UNIT, Training, digits, trained
from cnnlab.learn.pitfalls.scaling import judge_as_they_are, judge_scaled
from cnnlab.networks.presets import PRESETS
from cnnlab.training.config import ConfigError

pytestmark = pytest.mark.slow


@cache
def steps(slug: str) -> list[Finding]:
    return list(PITFALLS[slug].fall(0))


def figures(slug: str) -> dict[str, tuple[float, float]]:
    """What is measured, in the trap and mended."""
    told = {}
    for measured in steps(slug)[-1].measured:
        trapped, mended = measured.both
        assert isinstance(trapped, int | float)
        assert isinstance(mended, int | float)
        told[measured.what] = (trapped, mended)
    return told


def picture(slug: str) -> Picture:
    drawn = steps(slug)[-1].picture
    assert drawn
    return drawn


@pytest.mark.parametrize("slug", PITFALLS)
def test_a_trap_tells_how_far_it_is_and_in_the_end_every_figure(slug: str) -> None:
    done = [finding.done for finding in steps(slug)]
    assert done == sorted(done)
    assert done[-1] == 1
    for measured in steps(slug)[-1].measured:
        assert "…" not in measured.shown
    assert steps(slug)[-1].picture or steps(slug)[-1].table is not None


@pytest.mark.parametrize("slug", [slug for slug, trap in PITFALLS.items() if trap.guessed])
def test_a_trap_asks_for_a_figure_that_it_measures(slug: str) -> None:
    trap, finding = PITFALLS[slug], steps(slug)[-1]
    assert trap.guessed
    assert trap.to_guess
    what, place = trap.guessed
    assert "accuracy" in what
    assert "accuracy" in finding.measured[place].what.lower()
    wrong, right = finding.measured[place].both
    assert isinstance(wrong, float)
    assert isinstance(right, float)
    outcome = trap.to_guess.outcome(finding)
    assert outcome
    assert outcome.leads == {"": pytest.approx(100 * (right - wrong))}
    assert trap.to_guess.outcome(steps(slug)[0]) is None


@pytest.mark.parametrize("slug", PITFALLS)
def test_the_code_that_is_shown_is_the_code_that_runs(slug: str) -> None:
    trap = PITFALLS[slug]
    for functions, code in zip((trap.wrong, trap.right), trap.code, strict=True):
        for function in functions:
            assert f"def {function.__name__}(" in code
            head, _, body = getsource(function).rstrip().partition('."""\n')
            assert head.startswith(f"def {function.__name__}(")
            assert body in code
    assert trap.code[0] != trap.code[1]


def test_too_little_memory_is_told_before_a_trap_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.training.memory.free_bytes", lambda device: 10**6)
    with pytest.raises(ConfigError, match="GB of memory"):
        list(PITFALLS["zero-grad"].fall(0))


def test_a_seed_finds_the_same_again_and_another_seed_something_else() -> None:
    again, other = (list(PITFALLS["first-four"].fall(seed))[-1].measured for seed in (0, 1))
    assert again == steps("first-four")[-1].measured
    assert other != again


def test_unscaled_test_images_cost_accuracy() -> None:
    found = figures("unscaled")
    for name in ("LeNet-5", "Quick net"):
        trapped, mended = found[f"{name}: test accuracy"]
        assert mended > trapped + 0.02
    lost = [mended - trapped for trapped, mended in found.values()]
    assert len(lost) == 3
    assert sum(lost) / 3 > 0.05


def test_the_same_weights_recover_exactly_once_the_test_images_are_scaled() -> None:
    data = digits(500, seed=0)
    network = trained(Training(data.train, 4, 0, PRESETS["lenet-5"])).eval()
    weights = deepcopy(network.state_dict())
    right = evaluate(network, data.test, UNIT).accuracy
    with torch.no_grad():
        before, unscaled, after = (
            judge(network, data.test).double().mean().item()
            for judge in (judge_scaled, judge_as_they_are, judge_scaled)
        )
    assert before == after == right
    assert unscaled < right - 0.05
    assert all(torch.equal(weights[name], tensor) for name, tensor in network.state_dict().items())


def test_a_wrong_flatten_size_is_refused_by_pytorch_and_worked_out_two_ways() -> None:
    (end,) = steps("flatten")
    assert end.raised == "RuntimeError: mat1 and mat2 shapes cannot be multiplied (64x128 and 800x256)"
    told = {measured.what: measured.both for measured in end.measured}
    assert told["The linear layer expects"] == (800, 128)
    assert told["It gets"] == (128, 128)
    assert told["nn.LazyLinear chooses"] == ("not used", 128)
    assert end.table is not None
    assert list(end.table.iloc[-1]) == ["pool2", "32×2×2", 128]


def test_without_eval_answers_change_and_fewer_are_right() -> None:
    rows = picture("eval").rows
    left, asked = (rows[rows["way"] == way].set_index("x") for way in (TRAPPED, MENDED))
    assert (left["y"] < asked["y"] - 0.01).all()
    trapped, mended = figures("eval")["Test accuracy, batches of 1"]
    assert trapped < mended - 0.03
    assert (left["sd"] > 0).all()
    assert (asked["sd"] == 0).all()
    assert asked["y"].max() - asked["y"].min() < 0.01  # whatever the size of a batch
    changing, same = figures("eval")["Answers that change on a second try"]
    assert changing > 0.05
    assert same == 0


def test_two_softmaxes_have_a_floor_that_their_loss_stays_above() -> None:
    sure = F.one_hot(torch.arange(10)).float()
    assert F.cross_entropy(sure, torch.arange(10)).item() == pytest.approx(FLOOR)
    rows = picture("softmax").rows
    assert rows[rows["way"] == TRAPPED]["y"].min() > FLOOR
    assert rows[rows["way"] == MENDED]["y"].min() < FLOOR / 2
    trapped, mended = figures("softmax")["Validation accuracy"]
    assert trapped < mended - 0.01


def test_the_first_four_of_each_batch_are_too_few_to_judge_a_class() -> None:
    found = figures("first-four")
    assert found["Test images counted"] == (40, 500)
    few, all_ = found["Widest 95% interval of a class, points"]
    assert few > 2 * all_
    off, exact = found["Farthest from the whole table, points"]
    assert off > 5
    assert exact == 0
    rows = picture("first-four").rows
    assert (rows["low"] <= rows["y"].fillna(1)).all()
    assert list(rows.groupby("way")["images"].sum()[[TRAPPED, MENDED]]) == [40, 500]


def test_shuffled_labels_are_learned_by_heart_and_help_nobody() -> None:
    found = figures("labels")
    by_heart, learned = found["Training accuracy"]
    chance, understood = found["Validation accuracy"]
    assert by_heart > 0.85
    assert chance < 0.2
    assert learned > 0.9
    assert understood > 0.7


def test_rates_too_high_and_too_low_learn_nothing_and_the_finders_does() -> None:
    high, at_high, low, at_low = (measured.both for measured in steps("learning-rate")[-1].measured)
    assert (high[0], low[0]) == ("0.5", "0.00001")
    for _, rate in (high, low):
        assert isinstance(rate, float)
        assert 0.001 < rate < 0.05
    for trapped, mended in (at_high, at_low):
        assert isinstance(trapped, float)
        assert isinstance(mended, float)
        assert trapped < 0.3
        assert mended > 0.8


def test_the_best_of_many_on_the_test_set_is_reported_too_high() -> None:
    excess, none = figures("test-set")["Overestimate, points"]
    assert excess > 1.5
    assert abs(none) < 1.2
    rows = picture("test-set").rows
    reported = rows[(rows["way"] == TRAPPED) & (rows["part"] == "reported")].set_index("x")["y"]
    assert reported.is_monotonic_increasing
    assert reported[20] > reported[1] + 0.01


def test_without_validation_a_network_trains_past_its_best() -> None:
    found = figures("overfitting")
    last, best = found["Best epoch"]
    assert best < last == 40
    assert found["Training loss there"][0] < 0.02
    at_last, at_best = found["Validation loss there"]
    assert at_last > 1.15 * at_best


def test_early_stopping_waits_for_five_epochs() -> None:
    losses = [5.0, 3.0, 4.0, 4.0, 4.0, 4.0, 2.0, 3.0]
    assert keep_best(losses, losses) == 6
    assert keep_best(losses, [5.0, 3.0, *[4.0] * 5, 2.0]) == 1
    assert keep_last(losses, losses) == 7


def test_gradients_that_are_not_zeroed_throw_the_weights_off() -> None:
    found = figures("zero-grad")
    swinging, falling = found["Training loss, latest epoch"]
    assert swinging > falling + 0.5
    trapped, mended = found["Validation accuracy"]
    assert trapped < mended - 0.15
    assert mended > 0.75


def test_batches_of_one_class_teach_that_class_only() -> None:
    found = figures("no-shuffle")
    leaping, steady = found["Highest loss of a batch, latest epoch"]
    assert leaping > 2 * steady
    trapped, mended = found["Validation accuracy"]
    assert trapped < 0.5
    assert mended > 0.75


def test_a_split_that_divides_scenes_promises_what_new_pictures_do_not_hold() -> None:
    found = figures("scenes")
    (random, grouped), (new, also_new) = found["Test accuracy"], found["Accuracy on new digits"]
    assert random > new + 0.15
    assert abs(grouped - also_new) < 0.1
    points = picture("scenes").rows
    assert points["low"].lt(points["y"]).all()


def shown(slug: str, what: str) -> list[float]:
    """Percentages in the trap and mended."""
    (found,) = (measured.shown for measured in steps(slug)[-1].measured if measured.what == what)
    return [float(value.rstrip("%")) for value in found]


def test_what_the_questions_tell_is_about_what_they_cost() -> None:  # about: digits depend on precision and threads
    opening, closing = CHAPTERS["traps"].questions
    assert "from 86.8% to 70.4%" in opening.reveal
    assert shown("unscaled", "LeNet-5: test accuracy") == pytest.approx([70.4, 86.8], abs=5)
    assert "99.5% in training, 9.3% in validation" in closing.reveal
    assert shown("labels", "Training accuracy")[0] == pytest.approx(99.5, abs=5)
    assert shown("labels", "Validation accuracy")[0] == pytest.approx(9.3, abs=5)
