"""The command that takes in a network from elsewhere."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnnlab.cli.options import DataSet, as_json, open_store, runs_option
from cnnlab.places import command

if TYPE_CHECKING:
    from cnnlab.importing.bringing import Brought
    from cnnlab.importing.taking import Normalise


@click.command("bring")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dataset", type=DataSet(), required=True, help="Whose images and classes the network has.")
@click.option(
    "--weights",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="The weights as .safetensors, where FILE is a design's JSON.",
)
@click.option("--title", default="", help="What the run is called [default: the file's own title or name].")
@click.option(
    "--normalise",
    type=click.Choice(["standard", "unit", "symmetric", "imagenet"]),
    default=None,
    help="The scale of the pixels that FILE takes, unless it says so [default: the best on validation images; with "
    "--new-head imagenet].",
)
@click.option(
    "--new-head", is_flag=True, help="Replace its last layer by an untrained one for the data set's classes, to train."
)
@click.option(
    "--side",
    type=click.IntRange(1, 512),
    default=None,
    help="With --new-head, of a FILE that takes any: pixels that images are resized to [default: the data set's].",
)
@runs_option
@as_json
def bring_command(
    file: Path,
    dataset: str,
    weights: Path | None,
    title: str,
    normalise: Normalise | None,
    new_head: bool,
    side: int | None,
    runs: Path | None,
    as_json: bool,
) -> None:
    """Make a run of FILE, a network from elsewhere: ONNX, or a design's JSON with its weights.

    The layers are found by the file's structure, its answers are compared with theirs, and it is judged on the data
    set's images. What could run code (.pt, .pth, .keras, .h5, pickles) is never opened.
    """
    from cnnlab.importing.bringing import Source, bring  # noqa: PLC0415 - torch and onnx, which others do without
    from cnnlab.importing.foreign_file import content_of  # noqa: PLC0415

    source = Source(file.name, content_of(file), content_of(weights) if weights else None)
    brought = bring(source, dataset, open_store(runs), title, normalise, new_head=new_head, side=side)
    run, taken = brought.run, brought.taken
    if as_json:
        told = {
            "run": run.id,
            "folder": str(run.folder),
            "layers": len(taken.architecture.layers),
            "parameters": run.summary.parameters,
            "normalise": taken.normalise,
            "is_guessed": taken.is_guessed,
            "difference": taken.difference,
            "validation_accuracy": run.summary.validation_accuracy,
            "test_accuracy": run.summary.test_accuracy,
            "new_head": taken.new_head,
        }
        click.echo(json.dumps(told))
        return
    for line in _told(brought, runs):
        click.echo(line)


def _told(brought: Brought, runs: Path | None) -> Iterator[str]:
    """Say in lines what a file became."""
    run, taken, summary = brought.run, brought.taken, brought.run.summary
    yield f"{run.title}: run {run.id}"
    yield f"  {len(taken.architecture.layers)} layers, {summary.parameters:,} parameters"
    images = sum(summary.support.values())
    yield f"  test accuracy {summary.test_accuracy:.2%} on {images:,} images of {run.config.dataset}"
    if taken.difference is not None:
        own = ", with its own last layer," if taken.new_head else ""
        yield f"  answers as the file does{own} within {taken.difference:.0e} of the largest answer"
    if taken.is_guessed:
        yield f"  pixels scaled as {taken.normalise}, which did best: --normalise names another scale"
    if taken.new_head:
        yield f"  {taken.new_head} is new and untrained, so the accuracy is that of chance; train it with"
        yield f"    {_training(brought, runs)}"


def _training(brought: Brought, runs: Path | None) -> str:
    """Return the command that trains a new last layer alone."""
    run, taken = brought.run, brought.taken
    parts = [*command().split(), "train", "--recipe", "transfer", "--dataset", run.config.dataset]
    parts += ["--architecture", str(run.folder) if runs else run.id, "--start", f"{run.id}@{run.summary.epoch}"]
    parts += ["--normalise", taken.normalise, "--learn-from", taken.new_head]
    return shlex.join(parts + (["--runs", str(runs)] if runs else []))
