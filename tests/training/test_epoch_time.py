from __future__ import annotations

import logging
from dataclasses import replace
from threading import Event

import pytest
import torch

from cnnlab.data.datasets import DATASETS
from cnnlab.data.loading import load
from cnnlab.jobs.worker import Worker
from cnnlab.networks.architecture import Draft, follow
from cnnlab.networks.layers import (
    Activation,
    AdaptivePool2d,
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    DepthwiseSeparable,
    Dropout,
    Flatten,
    GroupNorm,
    Layer,
    LayerNorm,
    LayerScale,
    Linear,
    MaxPool2d,
    Parallel,
    Residual,
    Resize,
    Softmax,
    SqueezeExcite,
)
from cnnlab.networks.presets import PRESETS
from cnnlab.training import epoch_time
from cnnlab.training.config import RunConfig
from cnnlab.training.epoch_time import Cost, LayerPiece, Piece, Stopwatch, epoch_images, measure, pieces, without_data

SAMPLE = DATASETS["mnist-sample"]
CONFIG = RunConfig()
HEAD: list[Layer] = [Flatten(), Linear(out_features="classes")]
EVERY_KIND: list[Layer] = [
    Conv2d(out_channels=4, padding=1),
    BatchNorm2d(),
    GroupNorm(groups=2),
    LayerNorm(),
    LayerScale(),
    Activation(function="gelu"),
    Residual(body=(Conv2d(out_channels=8, padding=1, stride=2), Dropout(p=0.2, channels=True))),
    Parallel(paths=((), (Conv2d(out_channels=4, kernel_size=1),))),
    DepthwiseSeparable(out_channels=8),
    SqueezeExcite(reduction=2),
    Resize(size=12),
    MaxPool2d(),
    AvgPool2d(),
    AdaptivePool2d(output_size=2),
    Flatten(),
    BatchNorm1d(),
    Dropout(),
    Linear(out_features="classes"),
    Softmax(),
]


class Fake:
    """Every piece takes two seconds a step and none to judge; tells what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[Piece] = []

    def __call__(self, piece: Piece) -> Cost:
        self.asked.append(piece)
        return Cost(step=2.0, judged=0.0)

    @property
    def kinds(self) -> list[str]:
        return [epoch_time._LAYER.validate_json(piece.layer).kind for piece in self.asked if piece.kind == "layer"]


def draft(*layers: Layer) -> Draft:
    return Draft(name="a-draft", title="A draft", layers=layers)


def measured(stopwatch: Stopwatch, drawn: Draft, config: RunConfig = CONFIG) -> epoch_time.EpochTime:
    stopwatch.want("me", drawn, config, SAMPLE)
    list(stopwatch.measurements())
    return stopwatch.epoch(drawn, config, SAMPLE)


def layer_piece(layer: Layer, shape: tuple[int, ...], **config: object) -> LayerPiece:
    spec = replace(SAMPLE, shape=shape, mean=(0.5,) * shape[0], std=(0.5,) * shape[0])
    piece = pieces(draft(layer), CONFIG.model_copy(update=config), spec)[0]
    assert piece is not None
    assert piece.kind == "layer"
    return piece


def test_what_is_known_is_not_measured_again() -> None:
    fake = Fake()
    stopwatch = Stopwatch(fake)
    drawn = draft(Conv2d(out_channels=4), Activation(), *HEAD)
    assert stopwatch.epoch(drawn, CONFIG, SAMPLE) == epoch_time.EpochTime((None,) * 4, None, waiting=5)
    assert stopwatch.want("me", drawn, CONFIG, SAMPLE)
    first = measured(stopwatch, drawn)
    assert len(fake.asked) == 5
    assert first.waiting == 0
    assert measured(stopwatch, drawn) == first
    assert not stopwatch.want("me", drawn, CONFIG, SAMPLE)
    assert len(fake.asked) == 5


def test_layers_are_measured_on_as_many_images_as_go_through_at_once() -> None:
    whole, part = (layer_piece(Conv2d(out_channels=4), (1, 28, 28), micro_batch=size) for size in (0, 16))
    assert (whole.images, part.images) == (CONFIG.batch_size, 16)
    assert part.terms == whole.terms


def test_what_was_measured_can_be_forgotten() -> None:
    fake = Fake()
    stopwatch = Stopwatch(fake)
    measured(stopwatch, draft(*HEAD))
    stopwatch.forget()
    assert measured(stopwatch, draft(*HEAD)).total
    assert len(fake.asked) == 6


def test_an_edit_makes_unknown_only_what_it_touches() -> None:
    fake = Fake()
    stopwatch = Stopwatch(fake)
    measured(stopwatch, draft(Conv2d(out_channels=4), Activation(), MaxPool2d(), *HEAD))
    fake.asked.clear()
    measured(stopwatch, draft(Conv2d(out_channels=4), Activation(function="tanh"), MaxPool2d(), *HEAD))
    assert fake.kinds == ["activation"]
    fake.asked.clear()
    # Of as many channels but with another kernel, padded: the shapes behind it stay.
    measured(stopwatch, draft(Conv2d(out_channels=4, kernel_size=5, padding=1), Activation(), MaxPool2d(), *HEAD))
    assert fake.kinds == ["conv2d"]
    fake.asked.clear()
    measured(stopwatch, draft(Conv2d(out_channels=5), Activation(), AdaptivePool2d(output_size=13), *HEAD))
    assert fake.kinds == ["conv2d", "activation", "adaptive-pool2d", "flatten", "linear"]


def test_names_do_not_count_also_within_blocks() -> None:
    fake = Fake()
    stopwatch = Stopwatch(fake)
    body = Conv2d(out_channels=4, padding=1)
    measured(stopwatch, draft(Conv2d(out_channels=4), Residual(body=(body,)), *HEAD))
    before = len(fake.asked)
    named = Residual(name="stage", body=(body.model_copy(update={"name": "within"}),))
    assert measured(stopwatch, draft(Conv2d(name="stem", out_channels=4), named, *HEAD)).total
    assert len(fake.asked) == before


def test_the_same_layer_twice_is_measured_once() -> None:
    fake = Fake()
    time = measured(Stopwatch(fake), draft(Conv2d(out_channels=1, padding=1), *[Activation()] * 3, *HEAD))
    assert fake.kinds.count("activation") == 1
    assert len(time.layers) == 6


@pytest.mark.parametrize("change", [{"batch_size": 64}, {"precision": "float32"}, {"optimizer": "sgd"}])
def test_other_terms_are_measured_anew(change: dict[str, object]) -> None:
    fake = Fake()
    stopwatch = Stopwatch(fake)
    config = CONFIG.model_copy(update={"precision": "bfloat16"})
    measured(stopwatch, draft(*HEAD), config)
    measured(stopwatch, draft(*HEAD), config.model_copy(update=change))
    assert len(fake.asked) == 6


def test_another_augmentation_leaves_the_layers_known() -> None:
    fake = Fake()
    stopwatch = Stopwatch(fake)
    measured(stopwatch, draft(*HEAD))
    measured(stopwatch, draft(*HEAD), CONFIG.model_copy(update={"augmentation": "handwriting"}))  # the sample's own
    assert len(fake.asked) == 3
    measured(stopwatch, draft(*HEAD), CONFIG.model_copy(update={"augmentation": "none"}))
    assert [piece.kind for piece in fake.asked[3:]] == ["rest"]


def test_an_epoch_adds_up_steps_and_what_is_judged() -> None:
    stopwatch = Stopwatch(lambda piece: Cost(0.5, 0.01) if piece.kind == "layer" else Cost(0.25, 0.001))
    config = CONFIG.model_copy(update={"batch_size": 90})
    time = measured(stopwatch, draft(*HEAD), config)
    assert epoch_images(config, SAMPLE) == (4050, 450)
    assert time.layers == pytest.approx((45 * 0.5 + 4.5,) * 2)
    assert time.rest == pytest.approx(45 * 0.25 + 0.45)
    assert time.total == pytest.approx(2 * 27 + 11.7)


def test_the_images_of_an_epoch_are_those_that_are_loaded() -> None:
    config = CONFIG.model_copy(update={"validation_fraction": 0.2, "train_fraction": 0.3})
    data = load("mnist-sample", config.validation_fraction, train_fraction=config.train_fraction)
    trained, judged = epoch_images(config, SAMPLE)
    assert (trained, judged) == pytest.approx((len(data.train), len(data.validation)), abs=10)


def test_without_a_data_set_a_number_of_images_will_do() -> None:
    spec = without_data((3, 20, 16), classes=4, images=1000)
    assert epoch_images(CONFIG, spec) == (900, 100)
    stopwatch = Stopwatch(Fake())
    stopwatch.want("me", draft(*HEAD), CONFIG, spec)
    assert len(list(stopwatch.measurements())) == 3
    assert stopwatch.epoch(draft(*HEAD), CONFIG, spec).total == pytest.approx(3 * 2.0 * 900 / 128)


def test_what_does_not_fit_is_left_out_and_leaves_no_total() -> None:
    fake = Fake()
    time = measured(Stopwatch(fake), draft(Activation(), Conv2d(out_channels=4, kernel_size=50), *HEAD))
    assert fake.kinds == ["activation"]
    assert (time.layers[0] is None, time.layers[1:], time.total, time.waiting) == (False, (None,) * 3, None, 0)


def test_what_is_too_large_is_not_tried() -> None:
    fake = Fake()
    huge = Conv2d(out_channels=4096, kernel_size=64, padding=64)
    time = measured(Stopwatch(fake), draft(Conv2d(out_channels=512, padding=1), huge, AdaptivePool2d(), *HEAD))
    assert fake.kinds == ["conv2d", "adaptive-pool2d", "flatten", "linear"]
    assert (time.layers[1], time.total, time.waiting) == (None, None, 0)


def test_what_cannot_be_measured_is_tried_once(caplog: pytest.LogCaptureFixture) -> None:
    asked = []

    def fails(piece: Piece) -> Cost:
        asked.append(piece)
        raise RuntimeError("can't allocate memory")

    stopwatch = Stopwatch(fails)
    with caplog.at_level(logging.WARNING):
        assert measured(stopwatch, draft(*HEAD)).total is None
    assert "allocate memory" in caplog.text
    assert measured(stopwatch, draft(*HEAD)).waiting == 0
    assert len(asked) == 3


def test_a_newer_request_takes_the_place_of_the_older_one() -> None:
    fake = Fake()
    stopwatch = Stopwatch(fake)
    stopwatch.want("me", draft(Activation(), Activation(function="tanh"), *HEAD), CONFIG, SAMPLE)
    walk = stopwatch.measurements()
    next(walk)
    assert not stopwatch.want("me", draft(Dropout(), *HEAD), CONFIG, SAMPLE)  # the walk goes on with it
    assert len(list(walk)) == 4
    assert fake.kinds == ["activation", "dropout", "flatten", "linear"]


def test_who_asked_last_is_served_first_and_the_others_after() -> None:
    fake = Fake()
    stopwatch = Stopwatch(fake)
    stopwatch.want("you", draft(Activation()), CONFIG, SAMPLE)
    stopwatch.want("me", draft(Dropout()), CONFIG, SAMPLE)
    list(stopwatch.measurements())
    assert fake.kinds == ["dropout", "activation"]


def test_requests_and_memory_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epoch_time, "ASKING", 2)
    monkeypatch.setattr(epoch_time, "KNOWN", 3)
    fake = Fake()
    stopwatch = Stopwatch(fake)
    layers: list[Layer] = [Activation(), Dropout(), MaxPool2d()]
    for number, layer in enumerate(layers):
        stopwatch.want(str(number), draft(layer), CONFIG, SAMPLE)
    list(stopwatch.measurements())
    assert fake.kinds == ["max-pool2d", "dropout"]
    measured(stopwatch, draft(Activation(), Activation(function="tanh"), *HEAD))  # more than is remembered
    assert len(stopwatch._known) == 3
    assert len(fake.asked) == 3 + 4


def test_only_one_walk_measures_at_a_time_and_one_that_is_left_makes_room() -> None:
    stopwatch = Stopwatch(Fake())
    stopwatch.want("me", draft(*HEAD), CONFIG, SAMPLE)
    walk = stopwatch.measurements()
    next(walk)
    assert list(stopwatch.measurements()) == []
    walk.close()
    assert len(list(stopwatch.measurements())) == 2


def test_a_thread_walks_it() -> None:
    stopwatch = Stopwatch(Fake())
    stopwatch.want("me", draft(*HEAD), CONFIG, SAMPLE)
    work = Worker(stopwatch.measurements())
    work.join()
    assert stopwatch.epoch(draft(*HEAD), CONFIG, SAMPLE).total


def test_a_walk_ends_between_two_layers() -> None:
    at_work, go_on = Event(), Event()

    def waits(piece: Piece) -> Cost:
        at_work.set()
        go_on.wait()
        return Cost(1.0, 0.0)

    stopwatch = Stopwatch(waits)
    stopwatch.want("me", draft(*HEAD), CONFIG, SAMPLE)
    work = Worker(stopwatch.measurements())
    at_work.wait()
    work.cancel()
    go_on.set()
    work.join()
    assert stopwatch.epoch(draft(*HEAD), CONFIG, SAMPLE).waiting == 2
    assert stopwatch.want("me", draft(*HEAD), CONFIG, SAMPLE)


def test_the_bound_on_memory_and_on_work_chooses_fewer_images() -> None:
    assert layer_piece(Conv2d(out_channels=8), (1, 28, 28)).images == 128
    large = layer_piece(Conv2d(out_channels=64, padding=1), (3, 224, 224))
    assert large.images < 128
    assert large.images * (3 + 64) * 224 * 224 * 4 <= epoch_time.MEASURED_BYTES
    heavy = layer_piece(Conv2d(out_channels=512, kernel_size=9), (64, 32, 32))
    (row,) = follow(draft(Conv2d(out_channels=512, kernel_size=9)), (64, 32, 32), 10)
    assert heavy.images * row.macs <= epoch_time.MEASURED_MACS
    assert layer_piece(Conv2d(out_channels=8), (1, 28, 28), batch_size=1).images == 2


def test_only_behind_what_learns_is_there_a_way_back() -> None:
    drawn = draft(AvgPool2d(), Conv2d(out_channels=2), Activation(), *HEAD)
    found = [piece for piece in pieces(drawn, CONFIG, SAMPLE) if piece and piece.kind == "layer"]
    assert [piece.passes_back for piece in found] == [False, False, True, True, True]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_every_kind_of_layer_can_be_measured(precision: str) -> None:
    config = RunConfig.model_validate({"batch_size": 4, "precision": precision})
    found = pieces(draft(*EVERY_KIND), config, SAMPLE)
    assert {layer.kind for layer in EVERY_KIND} == set(epoch_time._LAYER.json_schema()["discriminator"]["mapping"])
    costs = [measure(piece) for piece in found if piece]
    assert len(costs) == len(EVERY_KIND) + 1
    assert all(cost.step > 0 and cost.judged >= 0 for cost in costs)


@pytest.mark.parametrize("name", ["quick", "colour", "small-resnet"])
def test_a_preset_has_a_total(name: str) -> None:
    stopwatch = Stopwatch()
    time = measured(stopwatch, PRESETS[name], RunConfig(batch_size=2, augmentation="none"))
    assert time.total is not None
    assert time.total > 0


def test_measuring_leaves_no_trace() -> None:
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    for piece in pieces(draft(Conv2d(out_channels=2), Dropout(), *HEAD), RunConfig(batch_size=4), SAMPLE):
        assert piece is not None
        measure(piece)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()
    assert not torch.is_autocast_enabled("cpu")


def test_a_step_runs_in_training_mode_and_judging_does_not() -> None:
    module = epoch_time._Nothing(3)
    seen = []
    module.register_forward_hook(lambda *_: seen.append((module.training, torch.is_grad_enabled())))
    inputs = torch.zeros(2, 1, 4, 4)
    epoch_time._passes(module.train(), inputs, torch.float32)()
    assert module.logits.grad is not None
    epoch_time._judging(module.eval(), inputs)()
    assert seen == [(True, True), (False, False)]


def test_what_takes_long_is_not_repeated_often(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    clock = iter(range(1000))
    monkeypatch.setattr(epoch_time, "perf_counter", lambda: float(next(clock)))
    assert epoch_time.median_seconds(lambda: calls.append(1), torch.device("cpu")) == 1.0
    assert len(calls) == 2
