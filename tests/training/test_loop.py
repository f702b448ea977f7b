from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import pytest
import torch

from cnnlab.data.splits import Split
from cnnlab.evaluation.evaluate import evaluate
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
from cnnlab.networks.presets import PRESETS
from cnnlab.training import device
from cnnlab.training.checkpoint import Checkpoint, CheckpointError, Progress
from cnnlab.training.config import ConfigError, Extension, RunConfig
from cnnlab.training.loop import Training, fit
from cnnlab.training.remedy import TrainingError
from cnnlab.training.thread_tuner import ThreadTuner
from tests.samples import TINY, WITH_DROPOUT, few_digits
from tests.training.trainings import (
    MORE,
    UNIT,
    began,
    config,
    ending_in_logits,
    gone_on,
    measured,
    metrics,
    train,
    until,
    weights_of,
)


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


@pytest.mark.parametrize("fields", [{}, {"architecture": WITH_DROPOUT}, {"weight_average": 0.9}], ids=str)
def test_reading_the_samples_between_steps_changes_nothing(fields: dict[str, Any]) -> None:
    training, events = began(config(**fields)), []
    for event in training.events():
        events.append(event)
        if event.kind == "tick":
            read = training.read_samples()
            assert read.shape == (len(training.samples), 10)
            assert read.sum(1).tolist() == pytest.approx([1.0] * len(read))
    assert measured(events) == metrics(config(**fields))


def test_changes_of_threads_are_told_and_repeated_from_any_epoch(two_threads: None) -> None:
    changes = ((3, 1), (5, 2), (7, 1))
    settings = config(architecture="compact", epochs=3)  # of four steps
    whole, half = (began(settings, tuner=ThreadTuner(2, changes)) for _ in range(2))
    told = measured(list(whole.events()))
    assert [(event["step"], event["threads"]) for event in told if event["kind"] == "threads"] == list(changes)
    first = measured(until(half, 1))
    other = gone_on(half, ThreadTuner(2, changes))
    assert told == first + measured(list(other.events()))[1:]  # which tells again that it has started
    assert torch.equal(weights_of(whole.network), weights_of(other.network))


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_norms_that_keep_their_statistics_keep_them_after_the_samples_are_read() -> None:
    settings, data = config(architecture=PRESETS["compact"]), few_digits()
    network = build(settings.architecture, data.spec.shape, 10, settings.seed)
    names = [name for name, _ in settings.architecture.named_layers]
    training = Training(network, data, settings, started=names)
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for event in training.events():
        if event.kind == "tick":
            training.read_samples()
            assert network.training
            assert not any(norm.training for norm in norms)
    assert norms


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


@pytest.mark.parametrize(
    ("batch", "part", "images", "told"),
    [(1, 0, 8, "batch_size: norm1"), (8, 0, 1, "train_fraction: norm1"), (8, 1, 8, "micro_batch: norm1")],
)
def test_batch_norm_over_single_images_is_refused_before_the_first_step(
    batch: int, part: int, images: int, told: str
) -> None:
    settings = config(architecture=ending_in_logits(*FLAT_NORM), batch_size=batch, micro_batch=part)
    with pytest.raises(ConfigError, match=told):
        train(settings, few_digits(train=images))


def test_training_never_looks_at_the_test_images() -> None:
    class Forbidden(Split):
        def __getattribute__(self, name: str) -> object:
            raise AssertionError(f"test.{name} was read")

    data = few_digits()
    train(config(), replace(data, test=Forbidden(data.test.images, data.test.labels)))


def test_a_loss_that_explodes_ends_the_training_with_advice() -> None:
    with pytest.raises(TrainingError, match="lower the learning rate"):
        train(config(optimizer="sgd", learning_rate=10, schedule="constant", epochs=50, batch_size=4))


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


def test_rates_of_the_callers_own_are_followed() -> None:
    data = few_digits()
    network = build(TINY, data.spec.shape, 10)
    events = fit(
        network, data, config(epochs=1, learning_rate=0.1, batch_size=1), rates=lambda taken: 0.1 / (1 + taken)
    )
    rates = {event.step: event.learning_rate for event in events if event.kind == "step"}
    assert rates == pytest.approx({step: 0.1 / step for step in rates})


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
        {"class_balance": "weights"},
        {"class_balance": "sampling", "augmentation": "trivial"},
        {"mixup": 0.3, "cutmix": 1.0, "batch_size": 4},
        {"weight_average": 0.9, "architecture": WITH_DROPOUT},
        {"weight_average": 0.99, "early_stopping": 1, "learning_rate": 1.0},
        {"gradient_clipping": 0.1, "precision": "float16"},
        {"warmup_epochs": 2, "schedule": "cosine"},
        {"micro_batch": 5, "architecture": WITH_DROPOUT, "class_balance": "weights"},
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


@pytest.mark.parametrize("limit", [0.0, 0.01])
@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_a_step_is_no_longer_than_a_clipped_gradient(
    limit: float, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "_TOO_SLOW", {})  # float16 scales its gradients, here as on a GPU
    descent = {"optimizer": "sgd", "momentum": 0.0, "nesterov": False, "schedule": "constant", "learning_rate": 1.0}
    settings = config(
        **descent, epochs=1, batch_size=64, weight_decay=0.0, gradient_clipping=limit, precision=precision
    )
    before = weights_of(build(TINY, (1, 28, 28), 10, settings.seed))
    length = (weights_of(train(settings)[0]) - before).norm().item()
    assert length == pytest.approx(limit, rel=1e-3) if limit else length > 0.1


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
