"""A run executed again: all of it from its seed, or some of its epochs from the checkpoints before them."""

from __future__ import annotations

from collections.abc import Generator
from math import sqrt
from random import Random

from torch import Tensor

from cnnlab.training.checkpoint import CheckpointError
from cnnlab.training.loop import Training
from cnnlab.verification.claims import Claims
from cnnlab.verification.difference import DiffersError, compare, compare_tensors
from cnnlab.verification.judging import Judge, check_test
from cnnlab.verification.replay import Comparison, Replay
from cnnlab.verification.report import Progress
from cnnlab.verification.sampling import chosen_epochs

Weights = dict[str, Tensor]

_STATE = ("epoch", "step", "changes", "scaler", "best_loss", "best_epoch")  # of a checkpoint, besides its tensors


def execute_whole(claims: Claims, replay: Replay, judge: Judge) -> Generator[Progress, None, tuple[int, ...]]:
    """Execute the whole run and test it; return the epochs whose weights were compared. Raises DiffersError."""
    training = replay.begin()
    comparison = Comparison(claims, training)
    comparison.compare_weights(0)
    until = max([claims.last, *claims.saved])
    tested: Weights = {}
    for event in comparison.run(until):
        match event.kind:
            case "prepared":
                yield Progress("features computed", event.images, event.of)
            case "tick":
                yield Progress("steps executed", training.step, until * training.steps_per_epoch)
            case "epoch" if event.epoch == claims.summary.epoch:
                tested = {name: tensor.clone() for name, tensor in training.network.state_dict().items()}
    _check_end(claims, comparison)
    check_test(claims, judge, tested)
    if tested and claims.summary.train_accuracy is not None:
        training.network.load_state_dict(tested)
        found = training.judge_train().accuracy
        compare(claims.summary.epoch, "train_accuracy", claims.summary.train_accuracy, found)
    return tuple(comparison.compared)


def execute_epochs(
    claims: Claims, replay: Replay, count: int, draws: Random
) -> Generator[Progress, None, tuple[int, ...]]:
    """Execute ``count`` epochs, each from the checkpoint before it; return which. Raises DiffersError."""
    chosen = chosen_epochs(weight_changes(claims), count, draws)
    for done, epoch in enumerate(chosen):
        training = replay.resume(epoch - 1) if epoch > 1 else replay.begin()
        steps = training.steps_per_epoch
        comparison = Comparison(claims, training, epoch * steps)
        comparison.compare_weights(epoch - 1)
        for event in comparison.run(epoch):
            if event.kind == "tick":
                yield Progress("steps executed", training.step - (epoch - 1 - done) * steps, len(chosen) * steps)
        _compare_checkpoint(claims, training)
    _check_end(claims, Comparison(claims, replay.resume(claims.last)))
    return tuple(chosen)


def weight_changes(claims: Claims) -> dict[int, float]:
    """Return how far each epoch moved the weights: the Euclidean distance of those before and after it."""
    changes, before = {}, claims.weights(0)
    for epoch in range(1, claims.last + 1):
        after = claims.weights(epoch)
        changes[epoch] = _distance(before, after)
        before = after
    return changes


def _distance(before: Weights, after: Weights) -> float:
    squares = [((after[name] - tensor).double() ** 2).sum() for name, tensor in before.items()]
    return sqrt(sum(float(square) for square in squares))


def _check_end(claims: Claims, comparison: Comparison) -> None:
    """Check that a run that says it finished did, and that its last or best epoch was tested."""
    if claims.has_ended:
        ended = comparison.finish() if claims.summary.status == "finished" else claims.last
        compare(claims.last, "tested epoch", claims.summary.epoch, ended)


def _compare_checkpoint(claims: Claims, training: Training) -> None:
    """Compare the state that the next epoch begins with, so that all epochs together are one training."""
    epoch, found = training.epoch, training.checkpoint()
    try:
        told = claims.run.checkpoints.read(epoch)
    except CheckpointError as error:
        raise DiffersError(epoch, "checkpoint", str(error), "that of its training") from error
    compare_tensors(epoch, "checkpoint", told.tensors, found.tensors)
    for name in _STATE:
        compare(epoch, f"{name} of its checkpoint", getattr(told.progress, name), getattr(found.progress, name))


def missing_checkpoints(claims: Claims) -> list[int]:
    """Return the epochs whose checkpoints are missing."""
    checkpoints = claims.run.checkpoints
    return [epoch for epoch in range(1, claims.last + 1) if not checkpoints.path(epoch).is_file()]
