"""The command that shows a network before it is trained: the cost of each layer, code, diagram."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from cnnlab.cli.options import DataSet, as_json, design_in, open_run, runs_option
from cnnlab.data.datasets import DATASETS
from cnnlab.networks.architecture import Draft, LayerSummary, follow, summarise
from cnnlab.networks.designs import DesignError, write_design
from cnnlab.networks.diagram import draw_network
from cnnlab.networks.layers import Shape, shown
from cnnlab.networks.lint import advise
from cnnlab.pretrained.table import NETWORKS
from cnnlab.runs.run import RunError, write_aside
from cnnlab.text import one_line
from cnnlab.training.config import RunConfig


@click.command("network")
@click.argument("network")
@click.option(
    "--dataset", type=DataSet(), default=RunConfig().dataset, show_default=True, help="The data set with its images."
)
@click.option(
    "--shape", type=(int, int, int), default=None, help="Instead of a data set: channels, height and width of an image."
)
@click.option(
    "--classes", type=click.IntRange(2, 1000), default=None, help="With --shape: the number of classes [default: 10]."
)
@click.option(
    "--to",
    "paths",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it as PyTorch code (.py), picture (.svg) or design (.json), by the ending of the name.",
)
@runs_option
@as_json
def network_command(
    network: str,
    dataset: str,
    shape: Shape | None,
    classes: int | None,
    paths: tuple[Path, ...],
    runs: Path | None,
    as_json: bool,
) -> None:
    """Show what each layer of NETWORK (a preset, a design's JSON file or a run) outputs and costs."""
    draft = found(network, runs)
    images = shape or DATASETS[dataset].shape
    if not all(1 <= length <= 4096 for length in images):
        raise DesignError("an image has 1 to 4096 channels, rows and columns")
    count = classes or (10 if shape else len(DATASETS[dataset].classes))
    rows = summarise(draft, images, count)
    everywhere = follow(draft, images, count)
    advice = advise(everywhere, images)
    hints = {row.name: advice[row.place] for row in everywhere if row.place in advice}
    for path in paths:
        _write(path, _rendered(path, draft, images, count))
    if as_json:
        click.echo(json.dumps({"name": draft.name, "layers": [_record(row) for row in rows], "hints": hints}))
        return
    click.echo(f"{one_line(draft.title)}: images of {shown(images)}, {count} classes")
    for row in rows:
        click.echo(
            f"  {row.name:14} {shown(row.output_shape):>12} {row.parameters:>12,} parameters {row.macs:>14,} MACs  "
            f"{row.layer.shape_formula(row.input_shape, count)}"
        )
    click.echo(
        f"  {'in all':14} {'':12} {sum(row.parameters for row in rows):>12,} parameters "
        f"{sum(row.macs for row in rows):>14,} MACs"
    )
    for name, notes in hints.items():
        for note in notes:
            click.echo(f"Hint, {name}: {note}")


def found(network: str, runs: Path | None) -> Draft:
    """Look up a preset by name, a design by its file, a run's network by the run's id or folder."""
    if network in NETWORKS:
        return NETWORKS[network]
    if network.endswith(".json"):
        return design_in(network)
    try:
        return open_run(network, runs).config.architecture
    except RunError as error:
        raise DesignError(f"{network!r} is not a preset or a design's file (.json), and {error}") from error


def _write(path: Path, text: str) -> None:
    try:
        write_aside(path, text)
    except RunError as error:
        raise DesignError(f"{path} cannot be written: {error.__cause__}") from error


def _rendered(path: Path, draft: Draft, images: Shape, classes: int) -> str:
    match path.suffix:
        case ".json":
            return write_design(draft)
        case ".svg":
            return draw_network(follow(draft, images, classes), images, draft.title)
        case ".py":
            from cnnlab.networks.source import pytorch_code  # noqa: PLC0415 - torch, which the others do without

            return pytorch_code(draft, images, classes)
        case _:
            raise DesignError(f"{path.name}: a network is written as .py, .svg or .json")


def _record(row: LayerSummary) -> dict[str, Any]:
    return {
        "name": row.name,
        "kind": row.kind,
        "output_shape": list(row.output_shape),
        "parameters": row.parameters,
        "macs": row.macs,
        "receptive_field": list(row.receptive_field),
        "activation_bytes": row.activation_bytes,
        "peak_bytes": row.peak_bytes,
    }
