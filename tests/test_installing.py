"""The app installed: from the wheel, in which places, with which packages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from cnnlab import places
from cnnlab.data.folders import data_folder, pictures_folder
from cnnlab.runs.store import runs_folder
from cnnlab.ui.widgets.plotly_element import SCRIPT
from tests.browser.server import ended, started_by
from tests.conftest import ROOT
from tests.faults.visitor import visit

PINNED = re.compile(r"([A-Za-z0-9][\w.-]*)==(\d[\w.]*)")


def pins(name: str) -> dict[str, str]:
    """The packages of a file of requirements with their versions; each line must be such a pair, or name a file."""
    lines = (ROOT / name).read_text(encoding="utf-8").split("\n")
    found = [PINNED.fullmatch(line) for line in lines if line and not line.startswith("-r ")]
    assert all(found), [line for line in lines if not PINNED.fullmatch(line)]
    return {re.sub(r"[-_.]+", "-", match[1]).lower(): match[2] for match in found if match}


def test_the_constraints_are_versions_alone_and_those_of_the_requirements() -> None:
    asked = pins("requirements.txt") | pins("requirements-dev.txt") | pins("requirements-cluster.txt")
    constrained = pins("constraints.txt")
    assert {name: constrained.get(name) for name in asked} == asked
    assert len(constrained) > len(asked)


def pip(*arguments: str | Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments, "--no-deps", "--no-index"],
        check=True,
    )


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with what the wheel holds, and with nothing else."""
    pip("wheel", ROOT, "--no-build-isolation", "--wheel-dir", tmp_path / "dist")
    (wheel,) = (tmp_path / "dist").iterdir()
    pip("install", wheel, "--target", tmp_path / "installed")
    return tmp_path / "installed"


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if "__pycache__" not in path.parts}


@pytest.mark.slow
def test_the_wheel_gives_the_command_the_app_and_folders_of_the_users_own(installed: Path, tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(installed)}
    before = files(installed)

    command = installed / "bin" / "cnnlab"
    process, url = started_by([command, "app"], elsewhere, environment)
    try:
        assert urlopen(f"{url}/_stcore/health").read() == b"ok"
        assert urlopen(f"{url}/app/static/{SCRIPT}").read()  # as the app's own settings say
        with visit(url) as visitor:
            renders = [visitor.open(page) for page in ("", "Train")]
    finally:
        rest = ended(process)
    assert "Traceback" not in rest, rest
    assert [render.failure for render in renders] == ["", ""]
    assert all(render.elements > 20 for render in renders)
    assert list(home.rglob("cnnlab/runs/*/config.json"))  # the example
    assert not files(elsewhere)
    assert files(installed) == before  # which may be read only
    told = subprocess.check_output([command, "--help"], cwd=elsewhere, env=environment, text=True)
    assert "Usage: cnnlab [OPTIONS]" in told


def test_folders_are_beside_the_app_in_a_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CNNLAB_DATA", "CNNLAB_RUNS", "CNNLAB_PICTURES"):
        monkeypatch.delenv(name, raising=False)
    assert places.app_folder() == ROOT
    assert [data_folder(), pictures_folder(), runs_folder()] == [
        ROOT / "data",
        ROOT / "data" / "pictures",
        ROOT / "runs",
    ]
    assert places.command() == "python -m cnnlab"


def test_folders_are_the_users_where_it_is_installed_unless_the_environment_names_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "_INSTALLED", tmp_path)
    monkeypatch.setattr(places, "user_data_path", lambda name, appauthor: tmp_path / "of-the-user" / name)
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "mine"))
    monkeypatch.delenv("CNNLAB_RUNS")
    assert places.app_folder() == tmp_path
    assert [data_folder(), runs_folder()] == [tmp_path / "mine", tmp_path / "of-the-user" / "cnnlab" / "runs"]
    assert places.command() == "cnnlab"
