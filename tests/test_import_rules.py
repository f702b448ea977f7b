"""Who may import what: each room its own modules and those of rooms before it, in one order."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from cnnlab.export.metrics import PACKAGES
from tests.conftest import ROOT

ROOMS = (
    *("errors", "files", "palette", "places", "quantities", "text", "threads"),
    *(
        "people",
        "networks",
        "drawings",
        "data",
        "evaluation",
        "pretrained",
        "training",
        "runs",
        "forecasting",
        "verification",
        "cluster",
        "jobs",
        "classroom",
        "analysis",
        "diagnosis",
        "charts",
        "export",
        "importing",
        "serve",
        "bench",
    ),
    *("learn", "cli", "ui"),
)
SHARED_BY_PAGES = (
    "shell",
    "widgets",
    "views",
)  # in this order; the other rooms of cnnlab/ui are a page's each
WITHOUT_TORCH = (
    *(
        "networks/layers",
        "networks/architecture",
        "networks/presets",
        "networks/backbones",
        "networks/receptive_field",
        "networks/edit",
    ),
    *("networks/lint", "networks/diagram", "drawings/strokes", "drawings/images", "charts"),
    *("evaluation/metrics", "evaluation/significance", "pretrained/table", "pretrained/matching"),
    *("training/config", "training/recipes", "training/events", "training/history", "training/resources"),
)
ONLY_IN = {
    "streamlit": ("cnnlab/ui", "pages", "app.py", "class_app.py"),
    "plotly": ("cnnlab/ui", "cnnlab/charts"),
    "torchvision": ("cnnlab/data/torchvision_compat.py",),
    "pynvml": ("cnnlab/jobs/gpu_counters.py",),
    **{package: (f"cnnlab/export/{package}.py",) for package in PACKAGES},
    "ray": ("cnnlab/cluster/connection.py",),
    "pickle": (),
}
SOURCES = sorted([*ROOT.glob("*.py"), *ROOT.glob("pages/*.py"), *ROOT.glob("cnnlab/**/*.py")])


@cache
def imports(path: Path) -> list[str]:
    """What a file imports: modules, and names of modules as if they were modules too."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def members(place: str) -> list[Path]:
    folder = ROOT / "cnnlab" / place
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def reached(path: Path, seen: set[Path]) -> Iterator[str]:
    """Everything a file imports, also through other modules of the package."""
    if path in seen:
        return
    seen.add(path)
    for name in imports(path):
        yield name
        parts = name.split(".")
        for end in range(2, len(parts) + 1):
            inner = ROOT.joinpath(*parts[:end])
            for file in (inner.with_suffix(".py"), inner / "__init__.py"):
                if parts[0] == "cnnlab" and file.exists():
                    yield from reached(file, seen)


def test_every_room_is_in_the_order() -> None:
    rooms = {
        path.stem for path in (ROOT / "cnnlab").iterdir() if path.stem not in ("__init__", "__main__", "__pycache__")
    }
    assert rooms == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_itself_and_earlier_rooms(room: str) -> None:
    allowed = {f"cnnlab.{earlier}" for earlier in ROOMS[: ROOMS.index(room) + 1]}
    inner = {(path.name, name) for path in members(room) for name in imports(path) if name.startswith("cnnlab.")}
    assert not {(path, name) for path, name in inner if ".".join(name.split(".")[:2]) not in allowed}


@pytest.mark.parametrize(
    "room", [path.name for path in (ROOT / "cnnlab" / "ui").iterdir() if (path / "__init__.py").exists()]
)
def test_pages_never_import_one_another(room: str) -> None:
    shared = SHARED_BY_PAGES if room not in SHARED_BY_PAGES else SHARED_BY_PAGES[: SHARED_BY_PAGES.index(room)]
    inner = {
        (path.name, name) for path in members(f"ui/{room}") for name in imports(path) if name.startswith("cnnlab.ui.")
    }
    assert not {(path, name) for path, name in inner if name.split(".")[2] not in (room, *shared)}


@pytest.mark.parametrize("place", WITHOUT_TORCH)
def test_what_only_describes_or_draws_loads_no_torch(place: str) -> None:
    assert not [name for path in members(place) for name in reached(path, set()) if name.split(".")[0] == "torch"]


@pytest.mark.parametrize("package", ONLY_IN)
def test_a_package_is_imported_in_its_places_only(package: str) -> None:
    users = {path for path in SOURCES if any(name.split(".")[0] == package for name in imports(path))}
    places = [ROOT / place for place in ONLY_IN[package]]
    assert not {path for path in users if not any(place == path or place in path.parents for place in places)}


@pytest.mark.parametrize("path", [ROOT / "app.py", *ROOT.glob("pages/*.py")], ids=lambda path: path.name)
def test_a_page_knows_streamlit_and_the_package_and_no_session_keys(path: Path) -> None:
    assert {name.split(".")[0] for name in imports(path)} <= {"__future__", "streamlit", "cnnlab"}
    assert "session_state" not in path.read_text(encoding="utf-8")


def test_tests_take_nothing_from_other_tests_but_from_helpers() -> None:
    ours = [path for room in ("tests", "benchmarks") for path in (ROOT / room).rglob("*.py")]
    assert not {
        (path.name, name)
        for path in ours
        for name in imports(path)
        if name.startswith("tests.") and any(part.startswith("test_") for part in name.split(".")[:-1])
    }


def test_optional_packages_are_imported_when_they_are_used() -> None:
    optional = {*PACKAGES, "ray"}
    code = f"import sys, cnnlab.__main__; print(sorted({{*sys.modules}} & {optional!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "[]\n"
