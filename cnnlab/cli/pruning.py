"""The command that makes a run's network smaller: prune."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from cnnlab.cli.options import NumberRange, as_json, open_run, runs_option
from cnnlab.cli.train import trained
from cnnlab.jobs.pruning import EPOCHS, Measured, compared, thinned
from cnnlab.runs.store import RunStore


@click.command()
@click.argument("run")
@click.option(
    "--keep",
    type=NumberRange(0.001, 1, max_open=True),
    required=True,
    help="Fraction of each convolution's filters to keep, such as 0.5.",
)
@click.option(
    "--epochs", type=click.IntRange(1, 1000), default=EPOCHS, show_default=True, help="Epochs of fine-tuning."
)
@click.option(
    "--learning-rate",
    type=NumberRange(0, 10, min_open=True),
    default=None,
    help="Initial learning rate of fine-tuning [default: a tenth of the run's]. It falls to zero.",
)
@click.option(
    "--train-fraction",
    type=NumberRange(0.001, 1),
    default=1.0,
    help="Fraction of the run's training images to fine-tune on [default: all].",
)
@click.option("--control", is_flag=True, help="Also fine-tune the whole network in the same way, for comparison.")
@runs_option
@as_json
def prune(run: str, keep: float, control: bool, runs: Path | None, as_json: bool, **fine_tuning: Any) -> None:
    """Remove the weakest filters from the network of RUN (an id or a folder) and fine-tune the rest.

    The result is a new run that starts with the weights of the kept filters.
    """
    parent = open_run(run, runs)
    store = RunStore(parent.folder.parent)
    branch = trained(thinned(parent, keep, **fine_tuning), store).run
    whole = trained(thinned(parent, 1.0, **fine_tuning), store).run if control else None
    found = compared(parent, branch, whole)
    if as_json:
        ids = {"run": branch.id, "folder": str(branch.folder), "parent": parent.id, "filters_kept": keep}
        told = {name.replace("-", "_"): _told(one) for name, one in found.items()}
        click.echo(json.dumps(ids | ({"control_run": whole.id} if whole else {}) | told))
        return
    click.echo(f"{branch.folder}")
    click.echo(f"{'':10} {'test accuracy':>24}  parameters  multiply-adds     weights  one image")
    for name, one in found.items():
        click.echo(_line(name, one))


def _told(one: Measured) -> dict[str, Any]:
    return {**asdict(one), "accuracy": one.accuracy, "interval": one.interval}


def _line(name: str, one: Measured) -> str:
    low, high = one.interval
    accuracy = f"{one.accuracy:.1%} ({low:.1%}–{high:.1%})"
    cost = f"{one.parameters:>10,}  {one.macs:>13,}  {one.bytes / 1000:>7.1f} kB  {one.milliseconds:>6.2f} ms"
    return f"{name:10} {accuracy:>24}  {cost}"
