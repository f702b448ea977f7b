from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cnnlab.export.metrics import InteropError
from cnnlab.export.mlflow import EXPERIMENT, to_mlflow
from cnnlab.runs.run import Run
from tests.export.exported import assert_same, client_of, curves, metrics


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
    assert logged.data.params["architecture.name"] == "lean"
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
    monkeypatch.setattr("cnnlab.export.mlflow.METRICS_AT_ONCE", 7)
    monkeypatch.setattr("cnnlab.export.mlflow.PARAMS_AT_ONCE", 7)
    run_id = to_mlflow(finished_run, tracking)
    assert_same(metrics(client_of(tracking), run_id), curves(finished_run))
    assert client_of(tracking).get_run(run_id).data.params["seed"] == "0"


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
