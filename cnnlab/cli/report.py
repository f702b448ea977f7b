"""The command that writes a report of one run, or of several side by side."""

from __future__ import annotations

from pathlib import Path

import click

from cnnlab.cli.exporting import written_aside
from cnnlab.cli.options import beside, open_run, runs_option
from cnnlab.runs.comparison import short_names
from cnnlab.runs.entry import read_entry
from cnnlab.runs.run import Run


@click.command("report")
@click.argument("run", nargs=-1, required=True)
@click.option(
    "-o", "--to", "path", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The HTML file to write."
)
@runs_option
def report_command(run: tuple[str, ...], path: Path, runs: Path | None) -> None:
    """Write a page about RUN, or about several runs side by side, to read, print or save as PDF.

    It looks at the test images once more, and counts that.
    """
    found = list({one.id: one for one in (open_run(name, runs) for name in run)}.values())
    with written_aside(path) as aside:
        content = _of_one(found[0]) if len(found) == 1 else _of_several(found)
        aside.write_bytes(content)
    click.echo(f"{path}: {len(content) / 1e3:,.0f} kB")


def _of_one(run: Run) -> bytes:
    from cnnlab.export.portable import Portable  # noqa: PLC0415 - torch, which other commands do without
    from cnnlab.export.report.run_report import run_report  # noqa: PLC0415

    portable = Portable.of(run, run.title)
    portable.count_look()
    return run_report(portable)


def _of_several(runs: list[Run]) -> bytes:
    from cnnlab.export.report.comparison_report import comparison_report  # noqa: PLC0415 - as above
    from cnnlab.runs.trained import test_answers  # noqa: PLC0415

    return comparison_report(short_names([read_entry(run) for run in runs]), test_answers, beside(runs))
