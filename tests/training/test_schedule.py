from __future__ import annotations

from typing import get_args

import pytest
from torch import nn
from torch.optim import Adam
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LRScheduler, OneCycleLR, StepLR

from cnnlab.training.checkpoint import Progress
from cnnlab.training.config import Extension, RunConfig
from cnnlab.training.schedule import Schedule

RATE = 0.003
PEAK = 0.1


def config(schedule: str, epochs: int = 4) -> RunConfig:
    return RunConfig.model_validate(
        {"schedule": schedule, "epochs": epochs, "learning_rate": RATE, "step_epochs": 1, "step_factor": 0.3}
    )


def torchs(schedule: str, optimizer: Adam, epochs: int, steps_per_epoch: int) -> LRScheduler:
    steps = epochs * steps_per_epoch
    match schedule:
        case "constant":
            return LambdaLR(optimizer, lambda step: 1.0)
        case "step":
            return StepLR(optimizer, steps_per_epoch, 0.3)
        case "cosine":
            return CosineAnnealingLR(optimizer, steps)
        case "one-cycle":
            return OneCycleLR(optimizer, RATE, total_steps=steps + 1)
    raise AssertionError(schedule)


@pytest.mark.parametrize(("epochs", "steps_per_epoch"), [(1, 1), (1, 2), (2, 1), (3, 7), (5, 94)])
@pytest.mark.parametrize("schedule", get_args(RunConfig.model_fields["schedule"].annotation))
@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step:UserWarning")  # no step is taken with them
def test_rates_are_those_of_torchs_schedulers(schedule: str, epochs: int, steps_per_epoch: int) -> None:
    optimizer = Adam(nn.Linear(1, 1).parameters(), RATE)
    scheduler = torchs(schedule, optimizer, epochs, steps_per_epoch)
    own = Schedule(config(schedule, epochs), steps_per_epoch)
    for step in range(1, epochs * steps_per_epoch + 1):
        assert own.rate(step) == pytest.approx(scheduler.get_last_lr()[0], rel=1e-12)
        assert (own.beta1(step) or 0.9) == optimizer.param_groups[0]["betas"][0]
        scheduler.step()


@pytest.mark.parametrize("schedule", ["constant", "step", "cosine"])
def test_a_warm_up_rises_in_a_line_and_the_schedule_comes_after_it(schedule: str) -> None:
    warm = Schedule(config(schedule, epochs=5).model_copy(update={"warmup_epochs": 2}), 7)
    assert [warm.rate(step) for step in range(1, 15)] == pytest.approx([RATE * step / 15 for step in range(1, 15)])
    later = Schedule(config(schedule, epochs=3), 7)
    assert [warm.rate(14 + step) for step in range(1, 22)] == [later.rate(step) for step in range(1, 22)]


def test_one_cycle_warms_up_by_itself() -> None:
    plain = config("one-cycle")
    warm = plain.model_copy(update={"warmup_epochs": 2})
    assert all(Schedule(warm, 5).rate(step) == Schedule(plain, 5).rate(step) for step in range(1, 21))


@pytest.mark.parametrize("schedule", get_args(RunConfig.model_fields["schedule"].annotation))
def test_from_a_rate_that_was_set_on_all_are_larger_by_one_factor(schedule: str) -> None:
    planned = Schedule(config(schedule), 5)
    changed = planned.changed(7, 3 * planned.rate(7))
    for step in range(1, 21):
        assert changed.rate(step) == pytest.approx((1 if step < 7 else 3) * planned.rate(step))
    assert changed.changed(7, planned.rate(7)).rate(12) == pytest.approx(planned.rate(12))


def test_an_extension_begins_with_its_rate_and_knows_no_change_before_it() -> None:
    extensions = Extension(after=4, epochs=2, learning_rate=PEAK), Extension(after=6, epochs=1, learning_rate=PEAK)
    schedule = Schedule(config("one-cycle"), 5, extensions).changed(3, 1.0)
    assert schedule.rate(21) == schedule.rate(31) == PEAK
    assert schedule.rate(26) == pytest.approx(PEAK / 2)
    assert schedule.beta1(25) == schedule.beta1(33) == 0.95
    assert schedule.changed(26, PEAK).rate(28) == pytest.approx(2 * schedule.rate(28))


@pytest.mark.parametrize("schedule", get_args(RunConfig.model_fields["schedule"].annotation))
def test_a_whole_training_of_an_older_version_goes_on_with_its_extensions_rates(schedule: str) -> None:
    own = Schedule(config(schedule), 5, (Extension(after=4, epochs=2, learning_rate=PEAK),))
    ended = Progress(
        epoch=4, step=20, seconds=1, rates=(1e-7,), scaler={}, best_loss=None, best_epoch=0, groups=[], schedule_step=20
    )
    assert own.restored(ended) == own
    assert own.restored(ended.model_copy(update={"epoch": 5, "step": 25})).rate(26) == pytest.approx(1e-7)


def test_a_rate_set_where_there_is_no_shape_stays() -> None:
    fallen = RunConfig(schedule="step", step_epochs=1, step_factor=1e-200, epochs=9)
    assert [Schedule(fallen, 1).changed(4, 0.5).rate(step) for step in (3, 4, 5, 9)] == [0, 0.5, 0.5, 0.5]
