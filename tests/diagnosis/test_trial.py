from __future__ import annotations

import pytest

from cnnlab.diagnosis.finding import Change
from cnnlab.diagnosis.remedies import widened
from cnnlab.diagnosis.trial import changed, judged
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.layers import Conv2d, Flatten, Linear
from cnnlab.runs.run import Run
from cnnlab.training.config import ConfigError, Parent
from tests.diagnosis.cases import healthy
from tests.trainings import train

RUN = "20261130-120000-abcdef"


def test_a_change_of_the_whole_training_keeps_its_seed_and_other_settings() -> None:
    config = healthy(seed=7)
    assert changed(RUN, config, Change("Lower it", {"learning_rate": 1e-4})) == healthy(seed=7, learning_rate=1e-4)


def test_a_change_from_a_good_epoch_is_a_branch_with_the_epochs_that_were_left() -> None:
    branch = changed(RUN, healthy(), Change("Branch off", {}, epoch=4))
    assert (branch.parent, branch.epochs) == (Parent(run=RUN, epoch=4), 6)


def test_neither_a_branch_nor_another_network_is_operated_on_or_pruned_again() -> None:
    origin = {"parent": f"{RUN}@3", "operations": '[{"kind": "off", "layer": "conv1"}]', "split_seed": 5}
    config = healthy(**origin)
    branch = changed(RUN, config, Change("Branch off", {}, epoch=4))
    other = changed(RUN, config, Change("Widen it", {"architecture": "lean"}))
    assert (branch.operations, branch.parent) == ((), Parent(run=RUN, epoch=4))
    assert (other.operations, other.parent, other.held_out_by) == ((), None, 5)


@pytest.mark.parametrize("change", [Change("Check the labels"), Change("Raise it", {"learning_rate": 1e9})])
def test_what_cannot_be_trained_is_refused(change: Change) -> None:
    with pytest.raises(ConfigError, match=r"check the labels|learning_rate"):
        changed(RUN, healthy(), change)


def test_a_network_too_wide_to_be_read_again_is_refused() -> None:
    layers = (Conv2d(out_channels=2), Conv2d(out_channels=1024), Flatten(), Linear(out_features="classes"))
    config = healthy(architecture=Architecture(name="wide", title="Wide", layers=layers))
    assert changed(RUN, config, Change("Keep it", {"architecture": config.architecture})) == config
    with pytest.raises(ConfigError, match="out_channels"):
        changed(RUN, config, Change("Widen it", {"architecture": widened(config.architecture)}))


def test_a_change_that_helps_is_told_from_one_that_does_nothing(finished_run: Run) -> None:
    slow = train(learning_rate=1e-6)
    found = judged(slow, finished_run)
    assert found.helped
    assert (found.images, found.after) == (450, finished_run.summary.validation_accuracy)
    back = judged(finished_run, slow)
    assert back.harmed
    assert (back.before, back.after) == (found.after, found.before)
    same = judged(finished_run, finished_run)
    assert (same.p, same.helped, same.harmed) == (1.0, False, False)
