"""A place to export to, and a run to spoil."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from cnnlab.runs.run import Run


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
