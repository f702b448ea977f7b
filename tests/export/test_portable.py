from __future__ import annotations

import torch

from cnnlab.export.portable import EXAMPLES, Portable
from cnnlab.runs.run import Run
from cnnlab.runs.trained import load_trained


def test_it_holds_an_example_of_each_class_with_the_apps_own_answer(finished_run: Run) -> None:
    portable = Portable.of(finished_run, "Mine")
    examples = portable.examples
    assert len(examples.labels) == EXAMPLES
    assert set(examples.labels.tolist()) == set(range(10))
    assert torch.equal(examples.probabilities, load_trained(finished_run).probabilities(examples.images))
    assert (portable.preparation, portable.title, portable.run) == ("drawn", "Mine", finished_run.id)
    assert portable.familiar.far > 0


def test_any_epoch_can_be_taken(finished_run: Run) -> None:
    first = Portable.of(finished_run, "Mine", epoch=1)
    assert first.trained.epoch == 1
    assert not torch.equal(first.examples.probabilities, Portable.of(finished_run, "Mine").examples.probabilities)
