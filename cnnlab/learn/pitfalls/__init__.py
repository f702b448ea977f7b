"""The pitfalls of Learn, in order. To add one, write a module here and list its PITFALL below."""

from __future__ import annotations

from cnnlab.learn.pitfalls import (
    class_accuracy,
    double_softmax,
    eval_mode,
    flatten_size,
    learning_rate,
    overfitting,
    scaling,
    scenes,
    shuffled_labels,
    shuffling,
    test_set,
    zero_grad,
)
from cnnlab.learn.pitfalls.pictures import Picture
from cnnlab.learn.pitfalls.pitfall import Finding, Measured, Pitfall

_ALL = [
    module.PITFALL
    for module in (
        scaling,
        flatten_size,
        eval_mode,
        double_softmax,
        class_accuracy,
        shuffled_labels,
        learning_rate,
        test_set,
        scenes,
        overfitting,
        zero_grad,
        shuffling,
    )
]
PITFALLS: dict[str, Pitfall] = {pitfall.slug: pitfall for pitfall in _ALL}

__all__ = ["PITFALLS", "Finding", "Measured", "Picture", "Pitfall"]
