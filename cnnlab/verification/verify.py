"""Verify a run: by its weights (level 0), by executing all of it (1), or some epochs of one that can be proved (2)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from random import Random, SystemRandom
from tempfile import TemporaryDirectory

import torch

from cnnlab.data.datasets import dataset_spec
from cnnlab.errors import CnnLabError
from cnnlab.runs.ancestry import data_of
from cnnlab.runs.machines import unlike_here
from cnnlab.runs.run import Run, RunError
from cnnlab.training.device import Accelerator, available_cores
from cnnlab.training.memory import check_memory
from cnnlab.training.run_data import check_batches
from cnnlab.verification.claims import Claims
from cnnlab.verification.difference import DiffersError
from cnnlab.verification.execution import execute_epochs, execute_whole, missing_checkpoints
from cnnlab.verification.judging import Judge, check_description, check_test, judge_epochs
from cnnlab.verification.replay import Replay
from cnnlab.verification.report import Progress, Report
from cnnlab.verification.sampling import chances_missed

SAMPLED = 10  # epochs
CROWDED = 4  # threads a core: with more, each waits for the others for ever longer

Verification = Generator[Progress, None, Report]


class UnprovedError(CnnLabError):
    """A run that cannot be proved here; the message says why."""


def verify(run: Run, level: int = 1, count: int = SAMPLED, draws: Random | None = None) -> Verification:
    """Verify ``run`` and return what that proved; yield how far it is.

    Level 2 executes ``count`` epochs, half of them chosen by ``draws``. Nothing of the run is changed, and its test
    images are judged by the weights that they were judged by before, so this is no further look at them. Raises
    RunError where the run cannot be read, has no whole epoch, is being trained, or, at level 2, keeps no checkpoints.
    """
    report = Report(run.id, level, 0)
    threads = torch.get_num_threads()
    try:
        claims = _claims_of(run, level)
        report = replace(report, epochs=claims.last, notes=_notes(claims, level))
        _check_here(claims)
        with TemporaryDirectory() as folder:
            return (yield from _verified(claims, report, count, draws or SystemRandom(), Path(folder)))
    except DiffersError as error:
        if run.summary.machines:
            return replace(report, outcome="differs", difference=error.difference)
        reason = "it does not say on which kind of machine it was trained, and here it differs"
        return replace(report, outcome="unproved", reason=reason, difference=error.difference)
    except UnprovedError as error:
        return replace(report, outcome="unproved", reason=str(error))
    finally:
        torch.set_num_threads(threads)


def _claims_of(run: Run, level: int) -> Claims:
    claims = Claims.of(run)
    if claims.summary.status == "running":
        raise RunError(f"run {run.id} is being trained: verify it when it has ended")
    if not claims.last:
        raise RunError(f"run {run.id} has no complete epoch to verify")
    if level == 2 and not run.checkpoints.are_kept:
        raise RunError(
            f"run {run.id} keeps no checkpoints, as it was not trained with --provable: verify it with --level 1"
        )
    return claims


def _notes(claims: Claims, level: int) -> tuple[str, ...]:
    """Say what a proof of this run takes for granted."""
    origin, missing = claims.config.comes_from, claims.missing
    notes = []
    if origin:
        notes.append(f"it starts from run {origin.run}, epoch {origin.epoch}: verify that run too")
    if missing and level == 1:  # the other levels cannot do without
        notes.append(f"weights are missing of {_listed(missing)}")
    return tuple(notes)


def _check_here(claims: Claims) -> None:
    """Raise UnprovedError where this machine cannot tell, DiffersError where the run's files disagree by themselves."""
    config, summary = claims.config, claims.summary
    if not claims.epochs[-1].step:
        raise UnprovedError("its network came from elsewhere: there is no training to repeat")
    try:
        Accelerator.of(config)
        check_memory(config, dataset_spec(config.dataset))
        check_batches(config, dataset_spec(config.dataset))
    except CnnLabError as error:
        raise UnprovedError(str(error)) from error
    if other := unlike_here(config, summary):
        raise UnprovedError(f"it was trained on another kind of machine: {other}")
    if not summary.threads:
        raise UnprovedError("it does not say on how many threads it was trained")
    if summary.threads > CROWDED * available_cores():
        raise UnprovedError(f"it was trained on {summary.threads} threads, and here are {available_cores()} cores")
    claims.check_lengths()


def _verified(claims: Claims, report: Report, count: int, draws: Random, folder: Path) -> Verification:
    """Carry out the report's level. Raises DiffersError, and UnprovedError where files of the run are missing."""
    try:
        data = data_of(claims.run)
        judge, replay = Judge(claims, data, folder), Replay(claims, data, folder)
        check_description(claims, judge)
        if report.level == 1:
            compared = yield from execute_whole(claims, replay, judge)
            return replace(report, executed=tuple(range(1, claims.last + 1)), compared=compared)
        report = replace(report, judged=(yield from judge_epochs(claims, judge)))
        _check_files(claims, report.level)
        check_test(claims, judge)
        if report.level == 0:
            return report
        executed = yield from execute_epochs(claims, replay, count, draws)
        return replace(report, executed=executed, compared=executed, missed=chances_missed(claims.last, len(executed)))
    except (DiffersError, UnprovedError):
        raise
    except CnnLabError as error:  # of data, of a parent or of memory
        raise UnprovedError(str(error)) from error


def _check_files(claims: Claims, level: int) -> None:
    """Raise UnprovedError where files are missing without which figures cannot be checked."""
    if claims.missing:
        raise UnprovedError(f"weights are missing of {_listed(claims.missing)}; those that are here are right")
    if level == 2 and (missing := missing_checkpoints(claims)):
        raise UnprovedError(f"checkpoints are missing of {_listed(missing)}")


def _listed(epochs: list[int]) -> str:
    shown = ", ".join(map(str, epochs[:8])) + ", …" * (len(epochs) > 8)
    return f"epoch{'s' * (len(epochs) > 1)} {shown}"
