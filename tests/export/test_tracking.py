from __future__ import annotations

import json
import sys
from pathlib import Path
from shutil import copytree
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

from cnnlab.export.tracking import EXPERIMENT, InteropError, available, to_mlflow, to_tensorboard
from cnnlab.jobs.job import Job
from cnnlab.runs.store import Run, RunStore, runs_folder
from cnnlab.training.config import Parent, RunConfig
from tests.samples import TINY, lesson
from tests.trainings import wait_for_epoch

if TYPE_CHECKING:
    from mlflow import MlflowClient

Curve = list[tuple[int, float]]


@pytest.fixture
def tracking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """MLflow's folder of files, all that mlflow-skinny has without a server."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)
    return (tmp_path / "tracking").as_uri()


@pytest.fixture
def own_run(finished_run: Run, tmp_path: Path) -> Run:
    """A copy of the finished run to spoil."""
    return Run(Path(copytree(finished_run.folder, tmp_path / "runs" / finished_run.id)))


def client_of(tracking: str) -> MlflowClient:
    from mlflow import MlflowClient  # noqa: PLC0415 - after the export, which keeps its telemetry off

    return MlflowClient(tracking)


def curves(run: Run) -> dict[str, Curve]:
    """What an export must tell, from the run's own history and summary."""
    history, summary = run.history(), run.summary
    told = {
        f"step/{name}": [(row["step"], row[name]) for row in history.steps]
        for name in ("loss", "accuracy", "learning_rate")
    }
    for name in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "seconds"):
        told[f"epoch/{name}"] = [(row["step"], row[name]) for row in history.epochs]
    for index, name in enumerate(summary.classes):
        told[f"per_class/{name}"] = [(row["step"], row["per_class"][index]) for row in history.epochs]
    last = max(row["step"] for row in (*history.steps, *history.epochs))
    for name in ("train_accuracy", "validation_accuracy", "test_accuracy", "test_loss"):
        told[f"final/{name}"] = [(last, getattr(summary, name))]
    return told


def read_events(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()


def scalars(events: EventAccumulator) -> dict[str, Curve]:
    return {tag: [(point.step, point.value) for point in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def metrics(client: MlflowClient, run_id: str) -> dict[str, Curve]:
    names = client.get_run(run_id).data.metrics
    return {name: [(point.step, point.value) for point in client.get_metric_history(run_id, name)] for name in names}


def assert_same(found: dict[str, Curve], told: dict[str, Curve], rel: float | None = None) -> None:
    assert found.keys() == told.keys()
    for name, curve in told.items():
        assert [step for step, _ in found[name]] == [step for step, _ in curve]
        assert [value for _, value in found[name]] == pytest.approx([value for _, value in curve], rel=rel)


def test_tensorboard_reads_every_curve(finished_run: Run, tmp_path: Path) -> None:
    folder = to_tensorboard(finished_run, tmp_path / "new" / "folder")
    assert folder == tmp_path / "new" / "folder" / finished_run.id
    assert_same(scalars(read_events(folder)), curves(finished_run), rel=1e-6)  # it keeps 32 bits


def test_tensorboard_reads_the_settings_beside_what_they_came_to(finished_run: Run, tmp_path: Path) -> None:
    contents = read_events(to_tensorboard(finished_run, tmp_path)).PluginTagToContent("hparams")
    start = metadata.parse_session_start_info_plugin_data(contents["_hparams_/session_start_info"])
    settings = {name: getattr(value, value.WhichOneof("kind")) for name, value in start.hparams.items()}
    config = finished_run.config
    assert settings == {**config.scalars(), "architecture": config.architecture.name}
    experiment = metadata.parse_experiment_plugin_data(contents["_hparams_/experiment"])
    assert {info.name for info in experiment.hparam_infos} == set(RunConfig.model_fields)
    assert {"final/test_accuracy", "final/validation_accuracy"} <= {i.name.tag for i in experiment.metric_infos}


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


def test_wall_times_run_from_the_start_as_long_as_the_training(finished_run: Run, tmp_path: Path) -> None:
    points = read_events(to_tensorboard(finished_run, tmp_path)).Scalars("epoch/train_loss")
    start, seconds = finished_run.summary.created.timestamp(), finished_run.summary.seconds or 0
    assert seconds
    assert [point.wall_time - start for point in points] == pytest.approx([seconds / 2, seconds], abs=1e-3)


def test_a_second_export_to_tensorboard_replaces_the_first(finished_run: Run, tmp_path: Path) -> None:
    folder = to_tensorboard(finished_run, tmp_path)
    assert to_tensorboard(finished_run, tmp_path) == folder
    assert len(list(folder.iterdir())) == 1
    assert_same(scalars(read_events(folder)), curves(finished_run), rel=1e-6)


def test_mlflow_reads_curves_settings_and_files(finished_run: Run, tracking: str, tmp_path: Path) -> None:
    run_id = to_mlflow(finished_run, tracking)
    client = client_of(tracking)
    assert_same(metrics(client, run_id), curves(finished_run))
    logged = client.get_run(run_id)
    assert client.get_experiment(logged.info.experiment_id).name == EXPERIMENT
    assert (logged.info.status, logged.info.run_name) == ("FINISHED", finished_run.id)
    assert logged.data.tags["cnnlab.run"] == finished_run.id
    assert logged.data.tags["cnnlab.status"] == "finished"
    assert logged.data.params["epochs"] == "2"
    assert logged.data.params["architecture.name"] == "compact"
    layers = {name for name in logged.data.params if name.startswith("architecture.layers.") and name.endswith(".kind")}
    assert len(layers) == len(finished_run.config.architecture.layers)
    for name in ("config.json", "history.jsonl"):
        kept = Path(client.download_artifacts(run_id, name, str(tmp_path)))
        assert kept.read_bytes() == (finished_run.folder / name).read_bytes()
    drawing = ElementTree.parse(client.download_artifacts(run_id, "network.svg", str(tmp_path)))
    places = [group.get("data-place") for group in drawing.iter("{http://www.w3.org/2000/svg}g")]
    assert [place for place in places if place] == [str(number) for number in range(len(layers))]


def test_a_second_export_to_mlflow_adds_only_what_is_new(own_run: Run, tracking: str) -> None:
    whole = (own_run.folder / "history.jsonl").read_text()
    first_epoch = next(i for i, line in enumerate(whole.splitlines(True)) if json.loads(line)["kind"] == "epoch")
    (own_run.folder / "history.jsonl").write_text("".join(whole.splitlines(True)[: first_epoch + 1]))
    judged = own_run.summary
    own_run.write_summary(judged.model_copy(update={"status": "stopped", "test_accuracy": None}))
    run_id = to_mlflow(own_run, tracking)
    client = client_of(tracking)
    assert client.get_run(run_id).info.status == "KILLED"
    assert "final/test_accuracy" not in client.get_run(run_id).data.metrics

    (own_run.folder / "history.jsonl").write_text(whole)
    own_run.write_summary(judged)
    for _ in range(2):
        assert to_mlflow(own_run, tracking) == run_id
        found, told = metrics(client, run_id), curves(own_run)
        finals = [name for name in told if name.startswith("final/")]
        assert {name: found.pop(name)[-1:] for name in finals} == {name: told.pop(name) for name in finals}
        assert_same(found, told)
    assert client.get_run(run_id).info.status == "FINISHED"
    assert len(client.search_runs([client.get_run(run_id).info.experiment_id])) == 1


def test_mlflow_is_found_through_its_own_environment(
    finished_run: Run, tracking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "digits")
    run_id = to_mlflow(finished_run)
    client = client_of(tracking)
    assert client.get_experiment(client.get_run(run_id).info.experiment_id).name == "digits"


def test_many_values_go_in_several_requests(finished_run: Run, tracking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.export.tracking.METRICS_AT_ONCE", 7)
    monkeypatch.setattr("cnnlab.export.tracking.PARAMS_AT_ONCE", 7)
    run_id = to_mlflow(finished_run, tracking)
    assert_same(metrics(client_of(tracking), run_id), curves(finished_run))
    assert client_of(tracking).get_run(run_id).data.params["seed"] == "0"


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


@pytest.mark.parametrize("package", ["tensorboard", "mlflow"])
def test_a_missing_package_is_named_with_its_command(
    package: str, finished_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert available() == {"tensorboard": True, "mlflow": True}
    monkeypatch.setattr("cnnlab.export.tracking.find_spec", lambda name: None if name == package else object())
    assert available()[package] is False
    with pytest.raises(InteropError, match=f"pip install {package}"):
        to_tensorboard(finished_run, tmp_path) if package == "tensorboard" else to_mlflow(finished_run, "nowhere")


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("http://127.0.0.1:9", "refused run"),
        ("nonsense://x", "refused"),
        ("file:///dev/null/x", "refused"),
        ("sqlite:///x.db", "sqlalchemy"),
    ],
)
def test_a_tracking_that_refuses_is_told_in_our_words(
    uri: str, words: str, finished_run: Run, tracking: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(InteropError, match=words):
        to_mlflow(finished_run, uri)
