from __future__ import annotations

from typing import Any

import pytest

from benchmarks import make_benchmarks
from benchmarks.make_benchmarks import keep_earlier


@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_figures_of_another_machine_are_kept(is_elsewhere: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"processor": "this one"}
    monkeypatch.setattr(make_benchmarks, "machine", lambda: here)
    before = {"processor": "an earlier one"} if is_elsewhere else here
    figures: dict[str, Any] = {"serving": {"p50": 1}, "machines": {"serving": before}, "earlier": []}
    keep_earlier(figures, "serving")
    kept = {"section": "serving", "machine": before, "figures": {"p50": 1}}
    assert figures["earlier"] == ([kept] if is_elsewhere else [])
