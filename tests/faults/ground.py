"""What bad inputs are made of: good files to spoil, and the doors that the spoilt ones are handed in at."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from io import BytesIO, StringIO
from itertools import count
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from cnnlab.__main__ import main
from cnnlab.jobs.job import Job
from cnnlab.jobs.sweep import Sweep, SweepStore
from cnnlab.jobs.sweep_config import parse_sweep
from cnnlab.runs.archive import pack
from cnnlab.runs.run import Run
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig, parse_config
from cnnlab.training.remedy import TrainingError
from tests.conftest import ROOT
from tests.samples import TINY

SHORT: dict[str, object] = {"architecture": TINY, "epochs": 2, "train_fraction": 0.1, "validation_fraction": 0.05}

_numbers = count()


class Case(NamedTuple):
    """A bad input: in words, and how it is handed in."""

    what: str
    enter: Callable[[], object]


class Refused(Exception):  # noqa: N818 - it is what should happen
    """The command line ended with exit code 2 and this complaint."""


@dataclass(frozen=True)
class Ground:
    """Good things; what is made of them lies in ``scratch`` and may be deleted after each case."""

    run: Run
    archive: bytes
    sweep: Sweep
    scratch: Path

    @classmethod
    def prepared(cls, folder: Path) -> Ground:
        store = RunStore(folder / "runs")
        job = Job.start(RunConfig.model_validate(SHORT), store, threads=1)
        job.join()
        archive = BytesIO()
        pack([job.run], archive)
        space: dict[str, object] = {"learning_rate": {"low": 0.001, "high": 0.1, "log": True}}
        sweep = SweepStore(store.folder).create(parse_sweep({"base": SHORT, "space": space, "trials": 1}))
        assert not sweep.trials
        return cls(job.run, archive.getvalue(), sweep, folder / "scratch")

    def file(self, name: str, content: bytes = b"") -> Path:
        """A new one of its own folder."""
        path = self.scratch / str(next(_numbers)) / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        return path

    def copy(self) -> Path:
        """The run's folder, to be spoilt."""
        return Path(shutil.copytree(self.run.folder, self.scratch / str(next(_numbers)) / self.run.id))


class Command:
    """python -m cnnlab with some arguments. Raises Refused where it ends with 2 and a complaint, else ValueError."""

    def __init__(self, arguments: list[str]) -> None:
        self.arguments = arguments

    def __call__(self) -> None:
        """In this process."""
        err = StringIO()
        with patch.object(sys, "argv", ["cnnlab", *self.arguments]), redirect_stdout(StringIO()), redirect_stderr(err):
            try:
                main()
            except SystemExit as end:
                _told(end.code, err.getvalue())

    def by_itself(self) -> None:
        """In a process of its own."""
        asked = [sys.executable, "-m", "cnnlab", *self.arguments]
        done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
        _told(done.returncode, done.stderr)


def _told(code: object, err: str) -> None:
    complaint = err.strip()
    if code != 2 or not complaint.startswith("Error: "):
        raise ValueError(f"exit code {code}: {complaint[-300:]}")
    raise Refused(complaint.removeprefix("Error: "))


def command(*arguments: object) -> Command:
    """The same, of anything that has a text."""
    return Command([str(argument) for argument in arguments])


def training(ground: Ground, fields: dict[str, object]) -> Callable[[], None]:
    """Parse a config and train it, as the Train page and the command do. Raises TrainingError where it fails."""
    return partial(_train, ground.scratch / "trained", fields)


def _train(folder: Path, fields: dict[str, object]) -> None:
    job = Job.start(parse_config(fields), RunStore(folder), threads=1)
    job.join()
    if job.error:
        raise TrainingError(job.error)
