"""What must hold on machines that are not here: on Apple's GPUs no number of 64 bits, on any GPU no step that waits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cnnlab import devices, training
from cnnlab.config import RunConfig
from cnnlab.doubt import read
from cnnlab.finder import ramp
from cnnlab.inference import judge, load_trained
from cnnlab.job import Job
from cnnlab.lessons import changes, fine_tuning
from cnnlab.memory import MOMENTS
from cnnlab.network import build
from cnnlab.runs import Run, RunStore, runs_folder
from cnnlab.suspects import held_out_of
from cnnlab.sweep import SweepConfig, SweepStore, search
from cnnlab.training import Training
from cnnlab.ui.views import EVALUATE, INSIDE, View
from tests.foreign import AppleGpu, everywhere
from tests.samples import TINY, WITH_DROPOUT, few_digits, lesson
from tests.test_pages import checked, open_page

SHORT = RunConfig(architecture=TINY, epochs=1, train_fraction=0.02)


@pytest.fixture
def apple(monkeypatch: pytest.MonkeyPatch) -> Iterator[AppleGpu]:
    """Everything that the test and the threads it starts ask of torch, asked of an Apple GPU."""
    monkeypatch.setattr(training, "FUSED", ())
    monkeypatch.setattr(devices, "CHANNELS_LAST", ())
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
    assert list(search(sweep, store))


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
        opened.segmented_control(key=f"{page.lower()}.view").set_value(view)
        checked(opened.run())
