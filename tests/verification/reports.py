"""Runs that are verified, and copies of them that are not what they say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from shutil import copytree
from typing import Any

from cnnlab.runs.run import Run
from cnnlab.verification.report import Report
from cnnlab.verification.verify import SAMPLED, verify


def report_on(run: Run, level: int = 1, count: int = SAMPLED, seed: int = 0) -> Report:
    """Verify a run and return what that proved."""
    work = verify(run, level, count, Random(seed))
    try:
        while True:
            next(work)
    except StopIteration as end:
        report: Report = end.value
        return report


def copy_of(run: Run, folder: Path) -> Run:
    """Copy a run into another folder of runs, with the weights that both share."""
    frozen = run.folder.parent / ".pretrained"
    if frozen.exists():
        copytree(frozen, folder / frozen.name, dirs_exist_ok=True)
    return Run(Path(copytree(run.folder, folder / run.id)))


def edit_json(run: Run, name: str, **fields: Any) -> None:
    """Change fields of a run's config.json or summary.json by hand."""
    path = run.folder / name
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | fields), encoding="utf-8")


def edit_history(run: Run, change: Callable[[list[dict[str, Any]]], object]) -> None:
    """Let ``change`` edit the records of a run's history in place."""
    path = run.folder / "history.jsonl"
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    change(records)
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")


def of_epoch(records: list[dict[str, Any]], epoch: int) -> dict[str, Any]:
    """Return the record of the end of an epoch."""
    return next(record for record in records if record["kind"] == "epoch" and record["epoch"] == epoch)
