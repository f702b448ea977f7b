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
@click.option("--dataset", type=DataSet(), required=True, help="The data set with the network's images and classes.")
@click.option(
    "--weights",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="The weights as .safetensors, if FILE is a design's JSON.",
)
@click.option("--title", default="", help="The title of the run [default: the file's own title or name].")
@click.option(
    "--normalise",
    type=click.Choice(["standard", "unit", "symmetric", "imagenet"]),
    default=None,
    help="The pixel scaling that FILE expects, unless it says so [default: the best on validation images; with "
    "--new-head imagenet].",
)
@click.option("--new-head", is_flag=True, help="Replace its last layer by an untrained one for the data set's classes.")
@click.option(
    "--side",
    type=click.IntRange(1, 512),
    default=None,
    help="With --new-head and a FILE for any image size: resize images to this many pixels [default: the data set's].",
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
    """Import the network in FILE as a run: ONNX, or a design's JSON with its weights.

    Finds the layers from the file's structure, compares its answers with the file's and tests it on the data set.
    Files that could run code (.pt, .pth, .keras, .h5, pickles) are never opened.
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
    yield f"  test accuracy {summary.test_accuracy:.1%} on {images:,} images of {run.config.dataset}"
    if taken.difference is not None:
        own = ", with its own last layer," if taken.new_head else ""
        yield f"  answers like the file{own}, within {taken.difference:.0e} of the largest answer"
    if taken.is_guessed:
        yield f"  pixels scaled as {taken.normalise}, the best scale; choose another with --normalise"
    if taken.new_head:
        yield f"  {taken.new_head} is new and untrained, so its accuracy is chance; train it with"
        yield f"    {_training(brought, runs)}"


def _training(brought: Brought, runs: Path | None) -> str:
    """Return the command that trains a new last layer alone."""
    run, taken = brought.run, brought.taken
    parts = [*command().split(), "train", "--recipe", "transfer", "--dataset", run.config.dataset]
    parts += ["--architecture", str(run.folder) if runs else run.id, "--start", f"{run.id}@{run.summary.epoch}"]
    parts += ["--normalise", taken.normalise, "--learn-from", taken.new_head]
    return shlex.join(parts + (["--runs", str(runs)] if runs else []))
