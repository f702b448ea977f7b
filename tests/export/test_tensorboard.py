from __future__ import annotations

from pathlib import Path

import pytest
from tensorboard.plugins.hparams import metadata

from cnnlab.export.tensorboard import to_tensorboard
from cnnlab.runs.run import Run
from cnnlab.training.config import RunConfig
from tests.export.exported import assert_same, curves, read_events, scalars


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
