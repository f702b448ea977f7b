"""The README's promises: its pictures, commands, tables and paths are there."""

from __future__ import annotations

import json
import re
import shlex
from statistics import mean, stdev

import pytest

from benchmarks import make_benchmarks
from cnnlab.__main__ import cli
from cnnlab.data.datasets import DATASETS
from cnnlab.pretrained.table import BACKBONES
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
LAYOUT = re.findall(r"```\n(app\.py.*?)```", README, re.DOTALL)[0]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(((?!http)[^)]+)\)", README))))
def test_a_linked_file_is_there(target: str) -> None:
    assert (ROOT / target).is_file()


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("make ")])
def test_a_make_command_is_there(line: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{line.split()[1]}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("line", [line for line in SHELL if "-m cnnlab" in line])
def test_a_command_line_is_understood(line: str) -> None:
    name, *arguments = [str(ROOT / "README.md") if word == "FILE" else word for word in shlex.split(line)[3:]]
    cli.commands[name].make_context(name, arguments)


def test_the_table_of_data_sets_is_the_programs() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \|.*\| ([\d,]+) \+ ([\d,]+) \|$", README, re.MULTILINE)
    assert rows == [(spec.name, f"{spec.sizes[0]:,}", f"{spec.sizes[1]:,}") for spec in DATASETS.values()]


def test_the_table_of_backbones_is_the_programs() -> None:
    rows = re.findall(
        r"^\| `([\w-]+)` \| ([^|]+) \|.*\| (\d+) \| ([\w.-]+) \| ([^|]+), (with the app|fetched) \|$", README, re.M
    )
    assert rows == [
        (name, one.title, f"{one.megabytes:.0f}", one.licence, one.source, "with the app" if one.package else "fetched")
        for name, one in BACKBONES.items()
    ]


@pytest.mark.parametrize("path", re.findall(r"^(\S+?),?\s", LAYOUT, re.MULTILINE))
def test_a_path_of_the_layout_is_there(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_map_names_every_room() -> None:
    here = {path.name for path in (ROOT / "cnnlab").iterdir() if not path.name.startswith("__")}
    assert set(re.findall(r"^cnnlab/([\w.]+)", LAYOUT, re.MULTILINE)) == here


def test_the_benchmarks_page_tells_the_kept_figures() -> None:
    figures = json.loads((ROOT / "docs" / "benchmarks.json").read_text(encoding="utf-8"))
    assert set(figures) == {*make_benchmarks.SECTIONS, make_benchmarks.MACHINES, make_benchmarks.EARLIER}
    assert (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8") == make_benchmarks.page(figures)


def test_the_races_are_those_of_the_benchmark() -> None:
    figures = json.loads((ROOT / "docs" / "benchmarks.json").read_text(encoding="utf-8"))
    told = re.findall(r"^\| .*? \| ([\d.]+) \| (Quick .*?) \| ([\d.]+) \| (\d+)× \|$", README, re.MULTILINE)
    shortened = [
        (f"{race['tutorial_s']:.1f}", f"Quick shortened, {precision}", f"{race['ours_s']:.2f}", f"{race['ratio']:.0f}")
        for section, precision in (("bench", "bfloat16"), ("float32", "float32"))
        for race in figures[section]["time_to_accuracy"].values()
    ]
    whole = [
        (f"{race['tutorial_s']:.1f}", "Quick as it is, float32", f"{race['quick_s']:.2f}", f"{race['quick_ratio']:.0f}")
        for race in figures["float32"]["time_to_accuracy"].values()
    ]
    assert sorted(told) == sorted(shortened + whole)


def test_the_default_is_told_as_measured() -> None:
    figures = json.loads((ROOT / "docs" / "benchmarks.json").read_text(encoding="utf-8"))["first_minute"]
    runs, of = figures["runs"], figures["drawings"]
    accuracies = [100 * run["mnist"] for run in runs]
    for told in (
        f"| {mean(run['seconds'] for run in runs):.0f} s |",
        f"| {mean(accuracies):.2f} % ± {stdev(accuracies):.2f} |",
        f"| {100 * mean(run['read'] for run in runs) / of:.1f} % |",
        f"| {100 * mean(run['read_soon'] for run in runs) / of:.1f} % |",
    ):
        assert told in README


def test_the_plain_way_installs_what_make_installs() -> None:
    assert "pip install -r requirements.txt -c constraints.txt && streamlit run app.py" in SHELL
