from __future__ import annotations

import sys
from pathlib import Path
from shutil import copy
from typing import Any

import pytest

from benchmarks import make_benchmarks
from benchmarks.make_benchmarks import keep_earlier, main


@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_figures_of_another_machine_are_kept(is_elsewhere: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"processor": "this one"}
    monkeypatch.setattr(make_benchmarks, "machine", lambda: here)
    before = {"processor": "an earlier one"} if is_elsewhere else here
    figures: dict[str, Any] = {"serving": {"p50": 1}, "machines": {"serving": before}, "earlier": []}
    keep_earlier(figures, "serving")
    kept = {"section": "serving", "machine": before, "figures": {"p50": 1}}
    assert figures["earlier"] == ([kept] if is_elsewhere else [])


def test_a_section_is_left_out_where_its_package_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("benchmarks.json", "benchmarks.template.md"):
        copy(make_benchmarks.DOCS / name, tmp_path)
    monkeypatch.setattr(make_benchmarks, "DOCS", tmp_path)
    monkeypatch.setattr(make_benchmarks, "FIGURES", tmp_path / "benchmarks.json")
    monkeypatch.setattr(make_benchmarks, "find_spec", lambda _: None)
    monkeypatch.setattr(sys, "argv", ["make_benchmarks", "clustering"])
    main()
    assert capsys.readouterr().out == "== clustering is left out: ray is not installed\n"
