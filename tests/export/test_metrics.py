from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tensorboard.plugins.hparams import metadata

from cnnlab.export.huggingface_hub import to_hugging_face
from cnnlab.export.metrics import PACKAGES, InteropError, available
from cnnlab.export.mlflow import to_mlflow
from cnnlab.export.tensorboard import to_tensorboard
from cnnlab.jobs.job import Job
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.training.config import Parent, RunConfig
from tests.export.exported import assert_same, client_of, curves, metrics, read_events, scalars
from tests.samples import TINY, lesson
from tests.trainings import wait_for_epoch


def test_drawings_and_a_parent_are_told_in_short(own_run: Run, tracking: str, tmp_path: Path) -> None:
    parent = Parent(run="20260101-000000-abc", epoch=2)
    config = own_run.config.model_copy(update={"lessons": (lesson(),) * 400, "parent": parent})
    (own_run.folder / "config.json").write_text(config.model_dump_json())
    contents = read_events(to_tensorboard(own_run, tmp_path / "events")).PluginTagToContent("hparams")
    start = metadata.parse_session_start_info_plugin_data(contents["_hparams_/session_start_info"])
    params = client_of(tracking).get_run(to_mlflow(own_run, tracking)).data.params
    for told in (start.hparams["lessons"].string_value, params["lessons"]):
        assert told == config.scalars()["lessons"]
        assert told.startswith("400 drawings, ")
    assert start.hparams["parent"].string_value == params["parent"] == "20260101-000000-abc@2"


@pytest.mark.parametrize(
    ("names", "exported"),
    [(("T-shirt/top", "Größe"), ["T-shirt_top", "Größe"]), (("a+", "a#"), ["0 a_", "1 a_"])],
)
def test_any_class_name_has_a_curve_of_its_own(
    names: tuple[str, str], exported: list[str], own_run: Run, tracking: str, tmp_path: Path
) -> None:
    classes = (*names, *own_run.summary.classes[2:])
    none: dict[str, float] = {}
    own_run.write_summary(own_run.summary.model_copy(update={"classes": classes, "per_class": none, "support": none}))
    first, second = (f"per_class/{name}" for name in exported)
    told = [[(row["step"], row["per_class"][index]) for row in own_run.history().epochs] for index in range(2)]
    found = metrics(client_of(tracking), to_mlflow(own_run, tracking))
    assert [found[first], found[second]] == told
    assert {first, second} <= set(scalars(read_events(to_tensorboard(own_run, tmp_path))))


def test_a_stopped_run_tells_what_it_has(tmp_path: Path) -> None:
    job = Job.start(RunConfig(architecture=TINY, epochs=1000), RunStore(runs_folder()), threads=1)
    wait_for_epoch(job)
    with pytest.raises(InteropError, match="still training"):
        to_tensorboard(job.run, tmp_path)
    job.stop()
    job.join()
    assert job.run.summary.status == "stopped"
    assert_same(scalars(read_events(to_tensorboard(job.run, tmp_path))), curves(job.run), rel=1e-6)


def test_a_run_without_metrics_or_with_foreign_ones_is_refused(own_run: Run, tracking: str, tmp_path: Path) -> None:
    history = own_run.folder / "history.jsonl"
    lines = history.read_text().splitlines()
    for spoilt, words in (
        ("", "no metrics"),
        (lines[0].replace('"loss": ', '"loss": "x", "was": '), "damaged"),
        (json.dumps({**json.loads(lines[0]), "step": float("inf")}), "damaged"),
        (json.dumps({**json.loads(lines[-1]), "per_class": [1.0]}), "damaged"),
    ):
        history.write_text(spoilt)
        with pytest.raises(InteropError, match=words):
            to_tensorboard(own_run, tmp_path / "events")
        with pytest.raises(InteropError, match=words):
            to_mlflow(own_run, tracking)
    assert not (tmp_path / "events").exists()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_missing_package_is_named_with_its_command(
    package: str, finished_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert available() == dict.fromkeys(PACKAGES, True)
    monkeypatch.setattr("cnnlab.export.metrics.find_spec", lambda name: None if name == package else object())
    assert available()[package] is False
    exports: dict[str, Callable[[], object]] = {
        "tensorboard": lambda: to_tensorboard(finished_run, tmp_path),
        "mlflow": lambda: to_mlflow(finished_run, "nowhere"),
        "huggingface_hub": lambda: to_hugging_face(finished_run, "me/digits"),
    }
    with pytest.raises(InteropError, match=f"pip install {package}"):
        exports[package]()
