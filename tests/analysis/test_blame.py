from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab.analysis import blame
from cnnlab.analysis.blame import DAMPING, BlameError, Influence, influence, trained_rows, without
from cnnlab.data.loading import load_test, load_train
from cnnlab.jobs.worker import completed
from cnnlab.runs.run import Run
from cnnlab.runs.trained import Trained, load_trained
from cnnlab.training.config import Parent
from tests.samples import TINY
from tests.trainings import train

FIELDS = {"architecture": TINY, "epochs": 3, "train_fraction": 0.1, "label_smoothing": 0.1, "excluded": "5"}


@pytest.fixture
def run() -> Run:
    return train(**FIELDS)


@pytest.fixture
def known(run: Run) -> Influence:
    return completed(influence(run))


def misread(run: Run) -> tuple[Tensor, int]:
    """A test image that the run's network misreads, and its class."""
    split = load_test(run.config.dataset)
    number = int((load_trained(run).logits(split).argmax(1) != split.labels).nonzero()[0])
    return split.image(number)[None], int(split.labels[number])


def last_gradient(trained: Trained, pixels: Tensor, target: Tensor) -> Tensor:
    """The gradient of ``target`` · log-probabilities by the last layer's weights and bias: (classes, F + 1)."""
    last = [layer for layer in trained.network.modules() if isinstance(layer, nn.Linear)][-1]
    logits = trained.network(trained.inputs(pixels))
    weights, bias = torch.autograd.grad((logits.log_softmax(1) * target).sum(), [last.weight, last.bias])
    return torch.cat([weights, bias[:, None]], 1)


def by_hand(run: Run, known: Influence, pixels: Tensor, right: int, position: int) -> float:
    """The score of a training image from gradients, with the factor of the features' products that was kept."""
    total = 0.0
    wrong = int(load_trained(run).logits(pixels).argmax())
    for one in known.checkpoints:
        trained = load_trained(run, one.trained.epoch)
        target = F.one_hot(known.split.labels[position], 10) * 0.9 + 0.01
        down = last_gradient(trained, known.split.image(position)[None], target[None])  # what a step adds
        margin = torch.zeros(1, 10)
        margin[0, wrong], margin[0, right] = 1.0, -1.0
        up = last_gradient(trained, pixels, margin)  # of the log-probabilities, whose difference is the logits'
        total += one.weight * float((down @ torch.cholesky_inverse(one.factor) * up).sum())
    return total


def test_a_score_is_the_product_of_both_images_gradients_over_the_checkpoints(run: Run, known: Influence) -> None:
    pixels, right = misread(run)
    found = known.blamed(pixels, right)
    assert [one.trained.epoch for one in known.checkpoints] == [1, 2, 3]
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    for one in found[:3]:
        assert one.score == pytest.approx(by_hand(run, known, pixels, right, one.position), rel=0.03)  # of 16 bits


def test_the_images_searched_are_those_that_it_was_trained_on(run: Run, known: Influence) -> None:
    whole = load_train("mnist-sample")
    assert known.indices.tolist() == trained_rows(run.config, whole).tolist()
    assert len(known.split) == known.trained_on == len(known.indices)
    blamed = known.blamed(*misread(run))[0]
    assert torch.equal(whole.image(blamed.index), known.split.image(blamed.position))
    assert 5 not in known.indices


def test_features_are_damped_by_their_mean_square(known: Influence) -> None:
    one = known.checkpoints[0]
    features = one.features.float()
    mean_square = features.square().mean()
    assert (one.factor @ one.factor.T).diagonal().mean() == pytest.approx(float((1 + DAMPING) * mean_square), rel=1e-3)


def test_nothing_is_blamed_for_a_right_answer(run: Run, known: Influence) -> None:
    pixels, _ = misread(run)
    with pytest.raises(BlameError, match="reads this image right"):
        known.blamed(pixels, known.answer(pixels))


def test_of_too_many_images_fewer_checkpoints_and_then_fewer_images_are_searched(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = completed(influence(run)).checkpoints[0].features.numel()
    monkeypatch.setattr(blame, "KEPT_NUMBERS", 2 * whole)
    assert [one.trained.epoch for one in completed(influence(run)).checkpoints] == [2, 3]
    monkeypatch.setattr(blame, "KEPT_NUMBERS", whole // 2)
    half = completed(influence(run))
    assert [one.trained.epoch for one in half.checkpoints] == [3]
    assert len(half.split) == half.trained_on // 2


def test_without_training_there_is_nothing_to_trace(run: Run) -> None:
    with pytest.raises(BlameError, match="before the first epoch"):
        completed(influence(run, 0))
    history = run.folder / "history.jsonl"
    history.write_text("", encoding="utf-8")
    with pytest.raises(BlameError, match="trained elsewhere"):
        completed(influence(run))


def test_a_last_layer_with_too_many_inputs_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blame, "MOST_FEATURES", 10)
    with pytest.raises(BlameError, match="more than 10: pool"):
        completed(influence(run))


def test_a_training_without_the_blamed_images_keeps_all_other_settings(run: Run, known: Influence) -> None:
    blamed = known.blamed(*misread(run), count=3)
    config = without(run.config, blamed)
    assert set(config.left_out) == {5, *(one.index for one in blamed)}
    assert config.model_copy(update={"excluded": "5"}) == run.config
    branch = run.config.model_copy(update={"parent": Parent(run=run.id, epoch=1)})
    with pytest.raises(BlameError, match="another run's weights"):
        without(branch, blamed)


def test_checkpoints_weigh_as_much_as_the_rates_that_led_to_them(run: Run, known: Influence) -> None:
    rows = [row for row in run.history().steps if 1 < row["epoch"] <= 2]
    assert known.checkpoints[1].weight == pytest.approx(sum(row["learning_rate"] for row in rows) / len(rows))
