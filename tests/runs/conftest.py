from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cnnlab.runs.run import Run


@pytest.fixture
def spoilt(finished_run: Run, tmp_path: Path) -> Run:
    """A copy to be spoilt."""
    return Run(Path(shutil.copytree(finished_run.folder, tmp_path / finished_run.id)))
