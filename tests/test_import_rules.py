"""Who may import what: the layout's promises, read from the sources."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from cnnlab.export.tracking import PACKAGES
from tests.conftest import ROOT

SOURCES = [*ROOT.glob("*.py"), *ROOT.glob("pages/*.py"), *ROOT.glob("cnnlab/**/*.py")]
FORBIDDEN = {
    "layers": {"torch", "plotly", "pandas"},
    "architectures": {"torch", "plotly", "pandas"},
    "presets": {"torch", "plotly", "pandas"},
    "receptive_field": {"torch", "plotly", "pandas"},
    "config": {"torch", "plotly", "pandas"},
    "strokes": {"torch", "plotly", "pandas", "numpy"},
    "recipes": {"torch", "plotly", "pandas"},
    "events": {"torch", "plotly", "pandas"},
    "history": {"torch", "plotly"},
    "charts": {"torch"},
    "metrics": {"torch", "plotly"},
    "significance": {"torch", "plotly"},
    "corruption": {"cnnlab.jobs.job", "cnnlab.runs.store", "cnnlab.charts"},
    "network": {"cnnlab.jobs.job", "cnnlab.runs.store", "cnnlab.charts"},
    "data": {"cnnlab.jobs.job", "cnnlab.runs.store", "cnnlab.charts"},
    "augmentation": {"cnnlab.jobs.job", "cnnlab.runs.store", "cnnlab.charts"},
    "explain": {"cnnlab.jobs.job", "cnnlab.runs.store", "cnnlab.charts"},
    "digits": {"cnnlab.jobs.job", "cnnlab.runs.store", "cnnlab.charts"},
    "pictures": {"torch", "plotly", "pandas"},
    "sheet": {"plotly", "cnnlab.jobs.job", "cnnlab.runs.store", "cnnlab.charts"},
    "training": {"cnnlab.jobs.job", "cnnlab.runs.store", "cnnlab.charts", "cnnlab.training.history"},
    "evaluation": {"cnnlab.training.loop", "cnnlab.jobs.job", "cnnlab.runs.store", "cnnlab.charts"},
    "checkpoint": {"cnnlab.training.loop", "cnnlab.jobs.job", "cnnlab.runs.store", "pickle", "torch.load"},
    "memory": {"cnnlab.training.loop", "cnnlab.jobs.job", "cnnlab.runs.store", "plotly"},
    "timing": {"plotly", "cnnlab.jobs.job", "cnnlab.runs.store", "cnnlab.charts", "cnnlab.jobs.worker"},
    "experience": {"plotly", "cnnlab.jobs.job", "cnnlab.charts", "cnnlab.jobs.worker"},
    "turns": {"torch", "plotly"},
    "suspects": {"plotly", "cnnlab.jobs.job", "cnnlab.charts", "cnnlab.jobs.worker"},
    "lessons": {"plotly", "cnnlab.jobs.job", "cnnlab.charts"},
    "runs": {"cnnlab.jobs.job", "cnnlab.training.loop", "cnnlab.charts"},
    "quarantine": {"cnnlab.jobs.job", "cnnlab.training.loop", "cnnlab.charts", "pickle", "torch.load"},
    "archive": {"cnnlab.jobs.job", "cnnlab.training.loop", "cnnlab.charts", "pickle", "torch.load"},
    "catalogue": {"plotly", "cnnlab.jobs.job", "cnnlab.training.loop", "cnnlab.charts"},
    "contrast": {"plotly", "cnnlab.jobs.job", "cnnlab.training.loop", "cnnlab.charts"},
    "sweep": {"plotly", "cnnlab.charts"},
    "interop": {"streamlit", "plotly", "cnnlab.jobs.job", "cnnlab.training.loop", "cnnlab.charts"},
    "drawing": {"torch", "plotly", "pandas", "cnnlab.charts"},
    "editing": {"torch", "plotly", "pandas"},
    "advice": {"torch", "plotly", "pandas"},
    "setups": {"plotly", "cnnlab.jobs.job", "cnnlab.training.loop", "cnnlab.charts"},
    "designs": {"plotly", "cnnlab.jobs.job", "cnnlab.training.loop", "cnnlab.charts", "pickle"},
    "program": {"plotly", "cnnlab.jobs.job", "cnnlab.training.loop", "cnnlab.charts"},
    "learn": {"plotly", "cnnlab.charts"},
    "pytorch_code": {"plotly", "cnnlab.jobs.job", "cnnlab.training.loop", "cnnlab.charts"},
}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def reached(module: str, seen: set[str]) -> set[str]:
    """Everything a core module imports, also through other modules of the package."""
    if module in seen:
        return set()
    seen.add(module)
    direct = set().union(*(imports(path) for path in files(module)))
    inner = {name.split(".")[1] for name in direct if name.startswith("cnnlab.")}
    return direct.union(*(reached(name, seen) for name in inner))


def files(module: str) -> list[Path]:
    """A module's file, or all files of a folder of that name."""
    folder = ROOT / "cnnlab" / module
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def is_under(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("module", FORBIDDEN)
def test_a_core_module_keeps_to_its_imports(module: str) -> None:
    broken = {name for name in reached(module, set()) for rule in FORBIDDEN[module] if is_under(name, rule)}
    assert not broken


@pytest.mark.parametrize("module", ["archive", "quarantine", "runs", "checkpoint", "designs", "strokes"])
def test_what_reads_files_from_elsewhere_knows_no_pickle(module: str) -> None:
    """Of all that they use only the data sets' table names it, for an error of torchvision's."""
    assert not imports(ROOT / "cnnlab" / f"{module}.py") & {"pickle", "torch.load"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_streamlit_is_known_to_the_pages_and_ui_only(path: Path) -> None:
    place = path.relative_to(ROOT).parts
    if place[:2] != ("cnnlab", "ui") and place[0] == "cnnlab":
        assert not {name for name in imports(path) if is_under(name, "streamlit") or is_under(name, "cnnlab.ui")}


@pytest.mark.parametrize("path", [*ROOT.glob("*.py"), *ROOT.glob("pages/*.py")], ids=lambda path: path.name)
def test_a_page_knows_streamlit_and_the_package_and_no_session_keys(path: Path) -> None:
    assert {name.split(".")[0] for name in imports(path)} <= {"streamlit", "cnnlab"}
    assert "session_state" not in path.read_text(encoding="utf-8")


def test_torchvision_is_imported_through_its_one_door() -> None:
    users = {path.name for path in SOURCES if any(is_under(name, "torchvision") for name in imports(path))}
    assert users == {"vision.py"}


@pytest.mark.parametrize("package", PACKAGES)
def test_an_optional_package_is_imported_through_one_door_and_when_it_is_used(package: str) -> None:
    users = {path.name for path in SOURCES if any(is_under(name, package) for name in imports(path))}
    assert users == {"interop.py"}
    code = f"import sys, cnnlab.__main__; sys.exit({package!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
