"""The command that names what ails a run."""

from __future__ import annotations

import json
from pathlib import Path

import click

from cnnlab.cli.options import as_json, open_run, runs_option
from cnnlab.text import one_line


@click.command("diagnose")
@click.argument("run")
@runs_option
@as_json
def diagnose_command(run: str, runs: Path | None, as_json: bool) -> None:
    """Name what ails the training of RUN (an id or a folder), with the evidence and one change that should help."""
    from cnnlab.diagnosis.examination import Examination  # noqa: PLC0415 - torch's gradients, which others do without
    from cnnlab.diagnosis.rules import diagnose  # noqa: PLC0415

    found = open_run(run, runs)
    findings = diagnose(Examination(found).case(found.history(), found.summary.error))
    for finding in findings:
        click.echo(f"{finding.name}: {one_line(finding.evidence)}")
        click.echo(f"  {one_line(finding.change.says)}.")
    if not findings:
        click.echo("Nothing was found.")
    if as_json:
        told = [
            {"name": each.name, "evidence": each.evidence, "change": each.change.says, "fields": each.change.plain}
            for each in findings
        ]
        click.echo(json.dumps({"run": found.id, "findings": told}))
