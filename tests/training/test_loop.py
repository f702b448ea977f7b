from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import pairwise
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn

from cnnlab.data.batches import Standardise
from cnnlab.data.loading import Data
from cnnlab.data.splits import Split
from cnnlab.evaluation.evaluate import evaluate
from cnnlab.networks.architecture import Architecture
from cnnlab.networks.build import build
from cnnlab.networks.layers import (
    Activation,
    AdaptivePool2d,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Flatten,
    Layer,
    Linear,
    MaxPool2d,
    Residual,
)
from cnnlab.training import device
from cnnlab.training.checkpoint import Checkpoint, CheckpointError, Progress
from cnnlab.training.config import ConfigError, Extension, RunConfig, parse_config
from cnnlab.training.events import Event
from cnnlab.training.loop import Training, fit
from cnnlab.training.meter import POINTS_PER_EPOCH
from cnnlab.training.remedy import TrainingError
from tests.samples import TINY, WITH_DROPOUT, few_digits

UNIT = Standardise((0.0,), (1.0,))
SPEEDS = {"images_per_second", "seconds"}


def config(**fields: Any) -> RunConfig:
    return parse_config({"architecture": TINY, "epochs": 2, "batch_size": 16, "augmentation": "none", **fields})


def train(settings: RunConfig, data: Data | None = None) -> tuple[nn.Sequential, list[Event]]:
    data = data or few_digits()
    network = build(settings.architecture, data.spec.shape, 10, settings.seed)
    return network, list(fit(network, data, settings))


def metrics(settings: RunConfig) -> list[dict[str, Any]]:
    """What was measured, in order; between which ticks it is read is a matter of time, not of the seed."""
    return measured(train(settings)[1])


def measured(events: list[Event]) -> list[dict[str, Any]]:
    told = [event for event in events if event.kind != "tick"]
    return [{k: v for k, v in asdict(event).items() if k not in SPEEDS} for event in told]


def weights_of(network: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


def test_the_events_tell_the_whole_story_in_order() -> None:
    kinds = [event.kind for event in train(config())[1]]
    assert kinds[0] == "started"
    assert kinds[-1] == "finished"
    assert kinds.count("tick") == 2 * 4
    assert kinds.count("epoch") == 2


@pytest.mark.parametrize("fields", [{}, {"augmentation": "handwriting"}, {"architecture": WITH_DROPOUT}], ids=str)
def test_a_seed_decides_every_metric(fields: dict[str, Any]) -> None:
    assert metrics(config(**fields)) == metrics(config(**fields))
    assert metrics(config(**fields)) != metrics(config(**fields, seed=1))


def test_it_learns() -> None:
    settings = config(architecture="compact", epochs=12, schedule="constant")
    last = [event for event in train(settings)[1] if event.kind == "epoch"][-1]
    assert last.train_accuracy > 0.95


def test_stopping_between_steps_leaves_a_whole_network() -> None:
    settings, data = config(), few_digits()
    network = build(TINY, data.spec.shape, 10)
    for event in fit(network, data, settings):
        if event.kind == "tick" and event.step == 2:
            break
    assert evaluate(network, data.test, UNIT).loss > 0


@pytest.mark.parametrize("schedule", get_args(RunConfig.model_fields["schedule"].annotation))
@pytest.mark.parametrize("optimizer", get_args(RunConfig.model_fields["optimizer"].annotation))
def test_every_optimiser_runs_with_every_schedule(optimizer: str, schedule: str) -> None:
    settings = config(optimizer=optimizer, schedule=schedule, step_epochs=1, learning_rate=1e-3)
    before = weights_of(build(TINY, (1, 28, 28), 10))
    network, _ = train(settings)
    assert not torch.equal(weights_of(network), before)


@pytest.mark.parametrize(
    ("schedule", "shape"),
    [
        ("constant", [1, 1, 1, 1]),
        ("step", [1, 0.1, 0.01, 0.001]),
        ("cosine", [0.8536, 0.5, 0.1464, 0]),
    ],
)
def test_a_schedule_has_its_shape(schedule: str, shape: list[float]) -> None:
    settings = config(schedule=schedule, step_epochs=1, epochs=4, batch_size=1000, learning_rate=0.1)
    rates = [event.learning_rate for event in train(settings)[1] if event.kind == "epoch"]
    # One step an epoch; a rate is told before the step that follows it.
    expected = [1.0, *shape[:3]] if schedule == "cosine" else shape
    assert rates == pytest.approx([0.1 * share for share in expected], abs=1e-5)


def test_one_cycle_rises_to_its_peak_and_ends_near_zero() -> None:
    settings = config(epochs=10, learning_rate=0.1)
    rates = [event.learning_rate for event in train(settings)[1] if event.kind == "epoch"]
    assert max(rates) == pytest.approx(0.1, rel=0.02)
    assert rates[0] < max(rates) > 100 * rates[-1]


def test_a_single_step_is_a_training_too() -> None:
    assert [event.kind for event in train(config(epochs=1, batch_size=1000))[1]] == [
        "started",
        "tick",
        "step",
        "epoch",
        "finished",
    ]


FLAT_NORM = (MaxPool2d(kernel_size=7), Flatten(), Linear(out_features=8), BatchNorm1d(), Activation())
POINT_NORM = (Conv2d(out_channels=4, stride=3), AdaptivePool2d(), BatchNorm2d(), Flatten())
INNER_NORM = (Conv2d(out_channels=4, stride=9), AdaptivePool2d(), Residual(body=(BatchNorm2d(),)), Flatten())
SHORTCUT_NORM = (AdaptivePool2d(), Residual(body=(Conv2d(out_channels=4, kernel_size=1),)), Flatten())


def ending_in_logits(*layers: Layer) -> Architecture:
    return Architecture(name="own", title="Own", layers=(*layers, Linear(out_features="classes")))


@pytest.mark.parametrize("layers", [FLAT_NORM, POINT_NORM, INNER_NORM, SHORTCUT_NORM])
def test_a_single_last_image_joins_the_batch_before_it_where_batch_norm_needs_two(layers: tuple[Layer, ...]) -> None:
    events = train(config(architecture=ending_in_logits(*layers)), few_digits(train=65))[1]
    ticks = [event.step for event in events if event.kind == "tick"]
    assert ticks == list(range(1, 9))
    assert [event.step for event in events if event.kind == "epoch"] == [4, 8]
    assert events[0].kind == "started"
    assert events[0].steps_per_epoch == 4


def test_other_networks_keep_their_single_last_image_to_itself() -> None:
    norm_over_maps = ending_in_logits(Conv2d(out_channels=4, stride=3), BatchNorm2d(), Flatten())
    for architecture in (TINY, norm_over_maps):
        events = train(config(architecture=architecture, epochs=1), few_digits(train=65))[1]
        assert [event.step for event in events if event.kind == "epoch"] == [5]


def test_a_training_with_a_joined_image_goes_on_from_a_checkpoint_as_if_never_interrupted() -> None:
    settings, data = config(architecture=ending_in_logits(*FLAT_NORM), epochs=3), few_digits(train=65)
    whole, events = train(settings, data)
    interrupted = Training(build(settings.architecture, data.spec.shape, 10, settings.seed), data, settings)
    for event in interrupted.events():
        if event.kind == "epoch":
            break
    again = build(settings.architecture, data.spec.shape, 10)
    again.load_state_dict(interrupted.network.state_dict())
    resumed = Training(again, data, settings)
    resumed.restore(interrupted.checkpoint())
    assert measured(events)[-2:] == measured(list(resumed.events()))[-2:]
    assert torch.equal(weights_of(again), weights_of(whole))


@pytest.mark.parametrize(("batch", "images", "told"), [(1, 8, "batch_size: norm1"), (8, 1, "train_fraction: norm1")])
def test_batch_norm_over_single_images_is_refused_before_the_first_step(batch: int, images: int, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        train(config(architecture=ending_in_logits(*FLAT_NORM), batch_size=batch), few_digits(train=images))


def test_early_stopping_ends_with_the_best_epochs_weights() -> None:
    settings = config(epochs=200, early_stopping=2, optimizer="sgd", learning_rate=0.1, schedule="constant")
    data = few_digits()
    network, events = train(settings, data)
    epochs = [event for event in events if event.kind == "epoch"]
    losses = [event.validation_loss for event in epochs]
    end = events[-1]
    assert end.kind == "finished"
    assert end.stopped_early
    assert end.epoch == losses.index(min(losses)) + 1 == len(losses) - 2
    spec = data.spec
    assert evaluate(network, data.validation, Standardise(spec.mean, spec.std)).loss == pytest.approx(min(losses))


def test_training_never_looks_at_the_test_images() -> None:
    class Forbidden(Split):
        def __getattribute__(self, name: str) -> object:
            raise AssertionError(f"test.{name} was read")

    data = few_digits()
    train(config(), replace(data, test=Forbidden(data.test.images, data.test.labels)))


def test_a_loss_that_explodes_ends_the_training_with_advice() -> None:
    with pytest.raises(TrainingError, match="lower the learning rate"):
        train(config(optimizer="sgd", learning_rate=10, schedule="constant", epochs=50, batch_size=4))


def test_where_the_first_weights_already_fail_the_layer_is_named_and_no_other_rate_advised() -> None:
    wild: list[Layer] = [Flatten(), *(Linear(out_features=64, init="normal", spread=10.0) for _ in range(30))]
    with pytest.raises(TrainingError, match=r"first weights linear\d+ gives .* no learning rate helps") as failure:
        train(config(architecture=ending_in_logits(*wild), learning_rate=1e-5, precision="float32"))
    assert "lower the learning rate" not in str(failure.value)


def test_where_the_first_weights_are_hopeless_no_lower_rate_is_advised() -> None:
    wild = ending_in_logits(Flatten(), *(Linear(out_features=64, init="normal", spread=10.0) for _ in range(4)))
    with pytest.raises(TrainingError, match=r"diverges: .* no lower learning rate helps: lower the spread"):
        train(config(architecture=wild, optimizer="sgd", learning_rate=1e-30, epochs=3, precision="float32"))


def test_where_batch_norm_learns_too_slowly_to_be_judged_no_rate_is_advised() -> None:
    layers: list[Layer] = [Flatten()]
    for _ in range(20):
        layers += [Linear(out_features=64, init="normal", spread=10.0), BatchNorm1d(momentum=1e-9)]
    settings = config(architecture=ending_in_logits(*layers), epochs=2, learning_rate=1e-5, precision="float32")
    with pytest.raises(TrainingError, match=r"validation loss is not finite after epoch 1: already with its first"):
        train(settings)


def test_a_training_that_diverges_ends_after_a_whole_epoch_with_advice() -> None:
    settings = config(optimizer="sgd", learning_rate=1, schedule="constant", epochs=50)
    data = few_digits()
    training = Training(build(TINY, data.spec.shape, 10), data, settings)
    with pytest.raises(TrainingError, match=r"diverges: after epoch 2 its loss is .*lower the learning rate"):
        list(training.events())
    assert training.epoch == 2


def test_a_network_that_is_no_longer_finite_is_no_epoch() -> None:
    data = few_digits()
    training = Training(build(TINY, data.spec.shape, 10), data, config())
    with pytest.raises(TrainingError, match="validation loss is not finite after epoch 1"):
        for event in training.events():
            if event.kind == "tick" and event.step == training.steps_per_epoch:
                with torch.no_grad():
                    next(training.network.parameters()).fill_(torch.nan)
    assert training.epoch == 0


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_every_precision_learns(precision: str) -> None:
    settings = config(architecture="compact", epochs=6, precision=precision, schedule="constant")
    events = train(settings)[1]
    assert events[0].kind == "started"
    assert events[0].precision == precision
    assert [event for event in events if event.kind == "epoch"][-1].train_accuracy > 0.8


@pytest.mark.parametrize("batch_size", [1, 3, 16, 64, 100])
def test_the_curves_points_divide_an_epoch_and_their_means_are_the_epochs(batch_size: int) -> None:
    events = train(config(epochs=1, batch_size=batch_size, optimizer="sgd", learning_rate=1e-3))[1]
    points = [event for event in events if event.kind == "step"]
    (epoch,) = [event for event in events if event.kind == "epoch"]
    assert 1 <= len(points) <= POINTS_PER_EPOCH
    assert points[-1].step == epoch.step
    assert points[-1].epoch == 1
    starts = [0, *(point.step for point in points)]
    images = [min(end * batch_size, 64) - start * batch_size for start, end in pairwise(starts)]
    mean = sum(point.loss * count for point, count in zip(points, images, strict=True)) / 64
    assert epoch.train_loss == pytest.approx(mean)


def test_metrics_are_read_a_few_times_a_second_and_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.training.meter.READ_SECONDS", 0.0)
    _, eager = train(config(batch_size=2))
    monkeypatch.setattr("cnnlab.training.meter.READ_SECONDS", 1e9)
    _, patient = train(config(batch_size=2))
    assert measured(patient) == measured(eager)
    assert [event.kind for event in patient] != [event.kind for event in eager]


class Queue:
    """A device that is given a step within a millisecond and does it in ten, and a clock that shows both."""

    def __init__(self) -> None:
        self.now = self.done = 0.0  # seconds: the program's, and when the device will have done all it has

    def clock(self) -> float:
        return self.now

    def give(self) -> None:
        self.now += 0.001
        self.done = max(self.done, self.now) + 0.01

    def told(self, read: Callable[[Tensor], object], tensor: Tensor) -> object:
        self.now = max(self.now, self.done)
        return read(tensor)


@pytest.mark.parametrize("read_seconds", [0.0, 0.05, 1e9])
def test_speeds_are_those_of_a_device_that_lags_behind(read_seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    queue, to_numbers, to_number = Queue(), Tensor.tolist, Tensor.item
    monkeypatch.setattr("cnnlab.training.meter.READ_SECONDS", read_seconds)
    monkeypatch.setattr("cnnlab.training.loop.perf_counter", queue.clock)
    monkeypatch.setattr("cnnlab.training.meter.perf_counter", queue.clock)
    monkeypatch.setattr(Tensor, "tolist", lambda tensor: queue.told(to_numbers, tensor))
    monkeypatch.setattr(Tensor, "item", lambda tensor: queue.told(to_number, tensor))
    training = began(config(batch_size=2, epochs=2))
    training.network.register_forward_pre_hook(lambda *_: queue.give())
    events = list(training.events())
    speeds = [event.images_per_second for event in events if event.kind in ("step", "epoch")]
    assert speeds == pytest.approx([2 / 0.01] * len(speeds), rel=0.1)
    assert training.seconds == pytest.approx(queue.now)


def test_rates_of_the_callers_own_are_followed() -> None:
    data = few_digits()
    network = build(TINY, data.spec.shape, 10)
    events = fit(
        network, data, config(epochs=1, learning_rate=0.1, batch_size=1), rates=lambda taken: 0.1 / (1 + taken)
    )
    rates = {event.step: event.learning_rate for event in events if event.kind == "step"}
    assert rates == pytest.approx({step: 0.1 / step for step in rates})


MORE = (Extension(after=3, epochs=2, learning_rate=0.005),)


def began(settings: RunConfig, extensions: tuple[Extension, ...] = ()) -> Training:
    data = few_digits()
    return Training(build(settings.architecture, data.spec.shape, 10, settings.seed), data, settings, extensions)


def until(training: Training, epoch: int) -> list[Event]:
    """Events up to the end of ``epoch``."""
    events = []
    for event in training.events():
        events.append(event)
        if event.kind == "epoch" and event.epoch == epoch:
            break
    return events


def gone_on(half: Training) -> Training:
    """Another training that goes on where ``half`` is, from what a disk would keep."""
    kept = half.checkpoint()
    other = began(half.config, half.schedule.extensions)
    other.network.load_state_dict(half.network.state_dict())
    other.restore(Checkpoint(kept.tensors, Progress.model_validate_json(kept.progress.model_dump_json())))
    return other


@pytest.mark.parametrize(
    "fields",
    [
        *(
            {"optimizer": optimizer, "schedule": schedule, "step_epochs": 1, "learning_rate": 1e-3}
            for optimizer in get_args(RunConfig.model_fields["optimizer"].annotation)
            for schedule in get_args(RunConfig.model_fields["schedule"].annotation)
        ),
        {"optimizer": "sgd", "momentum": 0.0, "nesterov": False},
        {"architecture": WITH_DROPOUT},
        {"augmentation": "handwriting"},
        {"early_stopping": 1, "learning_rate": 1.0},
        {"precision": "float16"},
    ],
    ids=str,
)
def test_a_training_that_goes_on_takes_the_same_steps(fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "_TOO_SLOW", {})  # float16 scales its gradients, here as on a GPU
    settings = config(**{"epochs": 3, **fields})
    whole, half = began(settings, MORE), began(settings, MORE)
    told = measured(list(whole.events()))
    first = measured(until(half, 1))
    other = gone_on(half)
    assert told == first + measured(list(other.events()))[1:]  # which tells again that it has started
    assert all(
        torch.equal(a, b) for a, b in zip(*(t.network.state_dict().values() for t in (whole, other)), strict=True)
    )


@pytest.mark.parametrize("epoch", [3, 4])
def test_it_goes_on_before_and_within_epochs_beyond_its_own(epoch: int) -> None:
    settings = config(epochs=3)
    half = began(settings, MORE)
    first = measured(until(half, epoch))
    assert measured(list(began(settings, MORE).events())) == first + measured(list(gone_on(half).events()))[1:]


def test_epochs_beyond_its_own_begin_with_their_rate_and_end_near_zero() -> None:
    rates = [
        event.learning_rate
        for event in began(config(epochs=3, batch_size=1000), MORE).events()
        if event.kind == "epoch"
    ]
    assert rates[-2:] == pytest.approx([0.005, 0.0025])


def test_a_changed_rate_counts_from_the_next_step_on_and_is_kept() -> None:
    training = began(config(schedule="cosine", learning_rate=0.01))
    before = training.learning_rate
    until(training, 1)
    unchanged = training.learning_rate
    training.change_learning_rate(unchanged * 3)
    assert training.learning_rate == pytest.approx(3 * unchanged)
    assert gone_on(training).learning_rate == training.learning_rate
    assert unchanged < before


STEPS = 4  # of a config's own epochs below, two more follow


@pytest.mark.parametrize("after", range(STEPS + 3))
@pytest.mark.parametrize("schedule", get_args(RunConfig.model_fields["schedule"].annotation))
def test_a_rate_set_after_any_step_is_the_next_ones(schedule: str, after: int) -> None:
    training = began(
        config(batch_size=32, schedule=schedule, step_epochs=1, learning_rate=0.01),
        (Extension(after=2, epochs=1, learning_rate=0.005),),
    )
    taken, changes = [], []
    for event in training.events():
        if event.kind == "step":
            taken.append((event.step, event.learning_rate))
        if event.kind == "rate":
            changes.append((event.step, event.epoch, event.learning_rate))
        if (event.kind == "started" and after == 0) or (event.kind == "tick" and event.step == after):
            training.change_learning_rate(0.002)
    rates = dict(taken)
    if after == STEPS + 2:  # no step is left
        assert changes == []
    else:
        assert changes == [(after + 1, (after + 1) / 2, 0.002)]
        assert training.step == STEPS + 2
        assert after % 2 == 0 or rates[after + 1] == 0.002  # a point is an epoch's last step
    assert all(rate >= 0 for rate in rates.values())


def test_a_rate_can_be_set_where_drops_have_come_to_zero() -> None:
    training = began(config(schedule="step", step_epochs=1, step_factor=1e-200, epochs=4, batch_size=1000))
    rates = []
    for event in training.events():
        if event.kind == "epoch":
            rates.append(event.learning_rate)
            if event.epoch == 3:
                assert training.learning_rate == 0
                training.change_learning_rate(0.002)
    assert rates[-1] == 0.002


def test_a_rate_set_where_drops_have_come_near_zero_makes_no_other_infinite() -> None:
    training = began(config(schedule="step", step_epochs=1, step_factor=1e-160, epochs=4, batch_size=1000))
    rates = []
    for event in training.events():
        if event.kind == "epoch":
            rates.append(event.learning_rate)
            if event.epoch == 2:
                assert 0 < training.learning_rate < 1e-300
                training.change_learning_rate(0.002)
    assert rates[2:] == [0.002, 0]


def test_a_rate_set_after_an_epochs_last_step_outlives_a_kill() -> None:
    half = began(config())
    for event in half.events():
        if event.kind == "tick" and event.step == half.steps_per_epoch:
            half.change_learning_rate(0.002)
        if event.kind == "epoch":
            break
    (change,) = [event for event in gone_on(half).events() if event.kind == "rate"]
    assert (change.step, change.learning_rate) == (half.steps_per_epoch + 1, 0.002)


def test_one_cycle_leaves_momentum_as_the_config_says() -> None:
    def after(momentum: float) -> Tensor:
        return weights_of(train(config(optimizer="sgd", momentum=momentum, learning_rate=1e-3))[0])

    assert not torch.equal(after(0.5), after(0.9))


@pytest.mark.parametrize("times", [1.0, 3.0])
@pytest.mark.parametrize("schedule", get_args(RunConfig.model_fields["schedule"].annotation))
def test_a_checkpoint_with_the_state_of_torchs_schedulers_goes_on(schedule: str, times: float) -> None:
    half = began(config(optimizer="sgd", schedule=schedule, step_epochs=1, learning_rate=1e-3))
    until(half, 1)
    if times != 1:
        half.change_learning_rate(times * half.learning_rate)
    kept = half.checkpoint()
    # As an older version wrote it where the rate had been set before; it may have moved momentum too.
    old = json.loads(kept.progress.model_dump_json(exclude={"changes", "wanted_rate"})) | {
        "groups": [{"lr": half.learning_rate, "initial_lr": times * 1e-3, "momentum": 0.87}],
        "base_rates": [times * 1e-3],
        "rates": [half.learning_rate],
        "schedule_step": kept.progress.step,
    }
    other = began(half.config)
    other.network.load_state_dict(half.network.state_dict())
    other.restore(Checkpoint(kept.tensors, Progress.model_validate(old)))
    went_on = [row for row in measured(list(gone_on(half).events())) if row["kind"] != "rate"]
    assert measured(list(other.events())) == went_on


def test_training_that_was_over_early_is_over_when_it_goes_on() -> None:
    settings = config(epochs=200, early_stopping=2, optimizer="sgd", learning_rate=0.1, schedule="constant")
    half = began(settings)
    last = measured(list(half.events()))[-1]
    assert [event["kind"] for event in measured(list(gone_on(half).events()))] == ["started", "finished"]
    assert measured(list(gone_on(half).events()))[-1] == last


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_the_training_loss_is_told_without_smoothing_as_validations_is(smoothing: float) -> None:
    data = few_digits()
    still = config(epochs=1, learning_rate=1e-12, optimizer="sgd", schedule="constant", label_smoothing=smoothing)
    _, events = train(still, replace(data, validation=data.train))
    (epoch,) = [event for event in events if event.kind == "epoch"]
    assert epoch.train_loss == pytest.approx(epoch.validation_loss, rel=1e-4)


def test_smoothing_is_what_is_trained_by() -> None:
    plain, smoothed = (weights_of(train(config(label_smoothing=share))[0]) for share in (0.0, 0.3))
    assert not torch.equal(plain, smoothed)


def test_a_rest_counts_neither_as_time_nor_as_speed() -> None:
    training = began(config())
    for event in training.events():
        if event.kind == "tick":
            training.rest(1000)
        if event.kind == "epoch":
            assert event.seconds < 0
            break


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"optimizer": "sgd", "schedule": "constant"}, "does not fit"),
        ({"architecture": "lenet-5"}, "does not fit"),
        ({"batch_size": 32}, "other epochs"),
        ({"early_stopping": 3, "epochs": 1}, "other epochs"),
    ],
    ids=str,
)
def test_a_checkpoint_of_another_training_is_refused(other: dict[str, Any], words: str) -> None:
    half = began(config())
    until(half, 2)
    with pytest.raises(CheckpointError, match=words):
        began(config(**other)).restore(half.checkpoint())


def test_a_checkpoint_whose_tensors_have_other_shapes_is_refused() -> None:
    half = began(config())
    until(half, 1)
    kept = half.checkpoint()
    name = next(name for name in kept.tensors if name.endswith("exp_avg"))
    for forged in (kept.tensors[name][:1], kept.tensors[name].double()):
        with pytest.raises(CheckpointError, match="another shape or type"):
            began(config()).restore(Checkpoint(kept.tensors | {name: forged}, kept.progress))
