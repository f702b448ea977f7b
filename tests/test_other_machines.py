"""What must hold on machines that are not here: on Apple's GPUs no number of 64 bits, on any GPU no step that waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from math import inf
from typing import Any

import pytest
import torch
from torch import Tensor

from cnnlab.analysis.label_errors import held_out_of
from cnnlab.analysis.ood import read
from cnnlab.data import augmentation
from cnnlab.jobs.finetuning import changes, fine_tuning
from cnnlab.jobs.job import Job
from cnnlab.jobs.search import search
from cnnlab.jobs.sweep import SweepStore
from cnnlab.jobs.sweep_config import SweepConfig
from cnnlab.networks.build import build
from cnnlab.networks.presets import PRESETS
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.runs.trained import judge, load_trained
from cnnlab.training import device, meter, optimizer
from cnnlab.training.config import RunConfig
from cnnlab.training.loop import Training
from cnnlab.training.lr_finder import ramp
from cnnlab.training.memory import MOMENTS
from cnnlab.ui.inspect import EVALUATE, INSIDE, View
from tests.foreign import AppleGpu, Waits, everywhere
from tests.pages.driver import checked, open_page, open_view
from tests.samples import TINY, WITH_DROPOUT, few_digits, lesson

pytestmark = pytest.mark.slow

SHORT = RunConfig(architecture=TINY, epochs=1, train_fraction=0.02)


@pytest.fixture
def apple(monkeypatch: pytest.MonkeyPatch) -> Iterator[AppleGpu]:
    """Everything that the test and the threads it starts ask of torch, asked of an Apple GPU."""
    monkeypatch.setattr(optimizer, "FUSED", ())
    monkeypatch.setattr(device, "CHANNELS_LAST", ())
    gpu = AppleGpu()
    everywhere(gpu, monkeypatch)
    with gpu:
        yield gpu
    assert not gpu.refused


def trained(**fields: Any) -> Run:
    job = Job.start(SHORT.model_copy(update=fields), RunStore(runs_folder()))
    job.join()
    assert job.state == "finished", job.error
    return job.run


def test_an_apple_gpu_trains_resumes_judges_teaches_and_searches(apple: AppleGpu) -> None:
    store = RunStore(runs_folder())
    run = trained(early_stopping=5)
    job = Job.resume(run, epochs=1)
    job.join()
    assert job.state == "finished", job.error
    assert judge(run).accuracy == pytest.approx(run.summary.test_accuracy)
    assert read(load_trained(run), few_digits().test.images[:1])
    taught = Job.start(fine_tuning(run, [lesson()]).model_copy(update={"epochs": 1}), store)
    taught.join()
    assert taught.state == "finished", taught.error
    assert changes(taught.run, store)["test"].images
    assert next(ramp(few_digits(), SHORT))
    *_, last = held_out_of(run)
    assert last.answers is not None
    sweeps = SweepStore(store.folder)
    sweep = sweeps.create(SweepConfig(base=SHORT, space={"learning_rate": {"low": 0.001, "high": 0.01}}, trials=1))
    assert list(search(sweep))


@pytest.mark.parametrize("optimizer", MOMENTS)
def test_every_optimiser_and_dropout_goes_on_on_an_apple_gpu(optimizer: str, apple: AppleGpu) -> None:
    settings = SHORT.model_copy(update={"optimizer": optimizer, "architecture": WITH_DROPOUT})
    data = few_digits()
    half = Training(build(WITH_DROPOUT, data.spec.shape, 10), data, settings)
    list(half.events())
    Training(half.network, data, settings).restore(half.checkpoint())


@pytest.mark.parametrize(("page", "views"), [("Inside", INSIDE), ("Evaluate", EVALUATE)])
def test_every_view_shows_a_network_of_an_apple_gpu(page: str, views: dict[str, View], apple: AppleGpu) -> None:
    opened = open_page(page, trained())
    for view in views:
        checked(open_view(opened, view))


def waits_of_an_epochs_steps(settings: RunConfig) -> dict[str, int]:
    """What an epoch of two steps waits for in these, its metrics not read."""
    data = few_digits(train=32)
    network = build(settings.architecture, data.spec.shape, 10)
    events = Training(network, data, settings.model_copy(update={"batch_size": 16})).events()
    with Waits() as waits:
        for event in events:
            if event.kind == "started":
                waits.seen.clear()  # what happens once, before the first step
            if event.kind == "tick" and event.step == 2:
                break
    return waits.seen


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps as on a device whose results are not known at once, and nobody who reads metrics in between."""
    monkeypatch.setattr(augmentation, "_KNOWN_AT_ONCE", ())
    monkeypatch.setattr(meter, "READ_SECONDS", inf)


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    ("augment", "optimizer"),
    [*product(augmentation.AUGMENTATIONS, ["adamw"]), *product(["none"], sorted({*MOMENTS} - {"adamw"}))],
)
def test_no_step_waits_for_a_gpu(augment: str, optimizer: str, precision: str) -> None:
    asked = {"augmentation": augment, "optimizer": optimizer, "precision": precision}
    assert not waits_of_an_epochs_steps(SHORT.model_copy(update=asked))


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize(
    "asked",
    [
        {"mixup": 0.2, "cutmix": 1.0},
        {"class_balance": "weights", "weight_average": 0.9, "gradient_clipping": 1.0, "micro_batch": 5},
    ],
)
def test_no_part_of_a_step_waits_for_a_gpu(asked: dict[str, object]) -> None:
    assert not waits_of_an_epochs_steps(SHORT.model_copy(update=asked))


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("name", PRESETS)
def test_no_network_waits_for_a_gpu(name: str) -> None:
    assert not waits_of_an_epochs_steps(
        SHORT.model_copy(update={"architecture": PRESETS[name], "augmentation": "none"})
    )


@pytest.mark.parametrize(
    "ask",
    [
        lambda x: x.sum().item(),
        lambda x: x.tolist(),
        lambda x: x.cpu(),
        lambda x: bool(x.any()),
        lambda x: x[x > 0],
        lambda x: x.nonzero(),
        lambda x: x.masked_fill_(x > 0, 1) if (x > 0).any() else x,
        lambda x: x.add(torch.tensor([1.0, 2.0])),
    ],
)
def test_what_waits_is_seen(ask: Callable[[Tensor], object]) -> None:
    with Waits() as waits:
        ask(torch.ones(2))
    assert waits.seen
