"""The command that verifies a run."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from itertools import groupby
from math import isfinite
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnlab.cli.options import as_json, open_run, runs_option
from cnnlab.text import one_line
from cnnlab.training.config import MAX_EPOCHS, ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnlab.verification.report import Progress, Report
    from cnnlab.verification.verify import Verification

EXIT_CODES = {"proved": 0, "differs": 1, "unproved": 3}  # 2 is for bad input


@click.command("verify")
@click.argument("run")
@click.option(
    "--level",
    type=click.IntRange(0, 2),
    default=1,
    show_default=True,
    help="0: compute the figures again from the saved weights. 1: execute the whole training again. "
    "2: execute some epochs again, of a run trained with --provable.",
)
@click.option(
    "--epochs", type=click.IntRange(1, MAX_EPOCHS), default=None, help="Level 2: how many epochs [default: 10]."
)
@runs_option
@as_json
def verify_command(run: str, level: int, epochs: int | None, runs: Path | None, as_json: bool) -> None:
    """Verify that RUN (an id or a folder) is what its training gives, bit for bit.

    Exit code 0: proved. 1: it differs. 3: it cannot be proved here, such as on another kind of machine.
    """
    from cnnlab.verification.verify import SAMPLED, verify  # noqa: PLC0415 - the loop, which others do without

    if epochs and level != 2:
        raise ConfigError("--epochs goes with --level 2: give both")
    found = open_run(run, runs)
    report = _followed(verify(found, level, epochs or SAMPLED))
    first, *others = _told(report)
    click.echo(one_line(first))
    for line in others:
        click.echo(f"  {one_line(line)}")
    if as_json:
        click.echo(json.dumps({"folder": str(found.folder), **_fields(report)}))
    if code := EXIT_CODES[report.outcome]:
        sys.exit(code)


def _followed(work: Verification) -> Report:
    """Show each part on a terminal, with the time left, until all are done."""
    reports: list[Report] = []

    def steps() -> Iterator[Progress]:
        reports.append((yield from work))

    for (what, length), part in groupby(steps(), attrgetter("what", "of")):
        with click.progressbar(length=length, label=what, file=sys.stderr) as bar:
            for step in part:
                bar.update(step.done - bar.pos)
            bar.update(length - bar.pos)
    return reports[0]


def _fields(report: Report) -> dict[str, Any]:
    """Return the report for JSON, which knows no numbers beyond all bounds."""
    fields = asdict(report)
    if difference := fields["difference"]:
        for side in ("told", "found"):
            value = difference[side]
            is_plain = isinstance(value, int) or (isinstance(value, float) and isfinite(value))
            difference[side] = value if is_plain else str(value)
    return fields


def _told(report: Report) -> list[str]:
    """Say the outcome in a line, then what it rests on."""
    lines = {"proved": _proved, "differs": _differs, "unproved": _unproved}[report.outcome](report)
    return [*lines, *(f"note: {note}" for note in report.notes)]


def _proved(report: Report) -> list[str]:
    if report.level == 0:
        return [f"proved: the figures of {len(report.judged)} saved epochs and of the test follow from the weights"]
    if report.level == 1:
        weights = f"weights of {len(report.compared)} epochs"
        return [f"proved: all {report.epochs} epochs executed again give the same figures and {weights}, bit for bit"]
    epochs = ", ".join(map(str, report.executed))
    return [
        f"proved: {len(report.executed)} of {report.epochs} epochs executed again are the same, bit for bit: {epochs}",
        *(
            f"chance at most to have missed {forged} forged epoch{'s' * (forged > 1)}: {chance:.1%}"
            for forged, chance in report.missed.items()
        ),
    ]


def _differs(report: Report) -> list[str]:
    return [f"differs: {report.difference}"]


def _unproved(report: Report) -> list[str]:
    return [
        f"cannot be proved here: {report.reason}",
        *[f"first difference: {report.difference}"] * bool(report.difference),
    ]
