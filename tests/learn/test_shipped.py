"""Results that come with the app: looked up by the settings of the page, computed by the chapters' own code."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest
import torch

from cnnlab.data.loading import load
from cnnlab.learn import ablation, dense_vs_conv, few_pictures, transfer
from cnnlab.learn.repeats import train_and_judge
from cnnlab.learn.shipped import FOLDER, shipped_ablation, shipped_comparison, shipped_contest, shipped_transfer
from cnnlab.training.run_data import load_for, network_for

CONTESTS = [
    dense_vs_conv.Terms(ending, augmentation, is_shuffled)
    for ending, augmentation, is_shuffled in product(
        get_args(dense_vs_conv.Ending), get_args(dense_vs_conv.Varied), (False, True)
    )
]


@pytest.mark.parametrize("terms", CONTESTS, ids=str)
def test_a_contest_comes_with_curves_and_answers_to_every_shift(terms: dense_vs_conv.Terms) -> None:
    shipped = shipped_contest(terms)
    assert shipped
    reached, digits = shipped.reached, load("mnist-sample").spec.classes
    assert reached.terms == terms
    assert all(len(curve) == terms.epochs for curve in reached.curves.values())
    for name, answers in reached.answers.items():
        assert answers.shape == (10, 13, 13, 10)
        assert torch.allclose(answers.sum(-1), torch.ones(()), atol=0.01)
        right = sum(max(range(10), key=reached.answer(name, label, 0, 0).__getitem__) == label for label in range(10))
        assert right >= len(digits) - 3


def test_a_shift_is_looked_up_by_right_and_down() -> None:
    answers = torch.arange(10 * 13 * 13 * 10).reshape(10, 13, 13, 10)
    contest = dense_vs_conv.Contest(dense_vs_conv.Terms(), 1.0, {}, answers={"dense": answers})
    assert contest.answer("dense", 4, -6, 2) == answers[4, 8, 0].tolist()


def test_what_was_not_computed_is_not_there() -> None:
    assert shipped_contest(dense_vs_conv.Terms(epochs=3)) is None
    assert shipped_contest(dense_vs_conv.Terms(seed=1)) is None
    assert shipped_ablation(ablation.Terms(epochs=5)) is None
    assert shipped_ablation(ablation.Terms(images=500)) is None
    assert shipped_ablation(ablation.Terms("remove", ("dropout", "mixup"))) is None
    assert shipped_transfer(transfer.Terms(images=1000)) is None
    assert shipped_comparison(few_pictures.Terms(seeds=8)) is None


@pytest.mark.parametrize("images", [250, 1000, 2500])
def test_an_ablation_comes_with_each_part_alone_and_for_fewer_seeds(images: int) -> None:
    whole, one = (
        shipped_ablation(ablation.Terms(parts=parts, images=images, seeds=seeds))
        for parts, seeds in ((ablation.USUAL, 5), (("dropout",), 2))
    )
    assert whole
    assert one
    assert list(one.reached.accuracies) == ["plain", "+ dropout"]
    assert one.reached.accuracies["+ dropout"] == whole.reached.accuracies["+ dropout"][:2]
    assert "seeds 0 to 1" in one.caption


def test_the_pages_open_with_results_and_say_how_they_were_made() -> None:
    for shipped in (
        shipped_ablation(ablation.Terms()),
        shipped_ablation(ablation.Terms("remove")),
        shipped_transfer(transfer.Terms()),
        shipped_comparison(few_pictures.Terms()),
    ):
        assert shipped
        assert shipped.reached.done == 1
        assert shipped.caption.startswith("Computed beforehand on ")
        assert "thread" in shipped.caption


@pytest.mark.slow
def test_a_training_here_comes_to_about_the_same() -> None:
    terms = ablation.Terms(parts=("augmentation",), seeds=2)
    shipped = shipped_ablation(terms)
    assert shipped
    config = terms.config(terms.arms["plain"], seed=0)
    data = load_for(config)
    training = train_and_judge(network_for(config, data.spec), data, config)
    with pytest.raises(StopIteration) as end:
        while True:
            next(training)
    assert end.value.value == pytest.approx(shipped.reached.accuracies["plain"][0], abs=0.02)  # another precision


def test_no_file_is_large() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 1e6
