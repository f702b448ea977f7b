"""Commands that train nothing: list, evaluate, predict, bench."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from cnnlab.cli.options import DataSet, as_json, content_of, open_run, runs_option
from cnnlab.data.datasets import DATASETS, dataset_spec
from cnnlab.data.download import is_present
from cnnlab.data.loading import load_test
from cnnlab.drawings.images import read_picture
from cnnlab.drawings.preprocess import NetworkInput, prepare, stroke_ink
from cnnlab.drawings.strokes import DrawingError, read_drawings
from cnnlab.evaluation.balance import is_imbalanced
from cnnlab.files import plain_json
from cnnlab.networks.architecture import summarise
from cnnlab.networks.presets import PRESETS
from cnnlab.places import user_folder
from cnnlab.runs.ancestry import caveat
from cnnlab.runs.run import Run
from cnnlab.runs.trained import Trained, judge, load_trained, seen_by
from cnnlab.text import one_line, percent
from cnnlab.training.recipes import RECIPES


@click.command("list")
@as_json
def list_command(as_json: bool) -> None:
    """List data sets, architectures and recipes."""
    datasets = [
        {
            "name": spec.name,
            "title": spec.title,
            "classes": list(spec.classes),
            "shape": list(spec.shape),
            "train": spec.sizes[0],
            "test": spec.sizes[1],
            "present": is_present(spec.name),
            "source": spec.source,
            "licence": spec.licence,
        }
        for spec in DATASETS.values()
    ]
    architectures = [
        {
            "name": preset.name,
            "title": preset.title,
            "description": preset.description,
            "parameters": sum(row.parameters for row in summarise(preset, (1, 28, 28), 10)),
        }
        for preset in PRESETS.values()
    ]
    recipes = [{"name": recipe.name, "title": recipe.title, "claim": recipe.claim} for recipe in RECIPES.values()]
    if as_json:
        click.echo(json.dumps({"datasets": datasets, "architectures": architectures, "recipes": recipes}))
    else:
        _print_lists(datasets, architectures, recipes)


def _print_lists(*lists: list[dict[str, Any]]) -> None:
    datasets, architectures, recipes = lists
    click.echo("Data sets")
    for row in datasets:
        where = "here" if row["present"] else "downloaded on first use"
        click.echo(f"  {row['name']:22} {row['title']}, {row['train']:,} + {row['test']:,} images, {where}")
    click.echo("Architectures (parameters on 28×28×1 images, ten classes)")
    for row in architectures:
        click.echo(f"  {row['name']:22} {row['parameters']:>9,}  {row['description']}")
    click.echo("Recipes")
    for row in recipes:
        click.echo(f"  {row['name']:22} {row['title']}" + (f": {row['claim']}" if row["claim"] else ""))


@click.command()
@click.argument("run")
@click.option("--dataset", type=DataSet(), default=None, help="Test on another data set of the same kind.")
@runs_option
@as_json
def evaluate(run: str, dataset: str | None, runs: Path | None, as_json: bool) -> None:
    """Measure the accuracy of RUN (an id or a folder) on its data set's test images."""
    found = open_run(run, runs)
    result = judge(found, dataset)
    images = sum(result.support)
    left_out = len(load_test(dataset or found.config.dataset)) - images
    per_class = dict(zip(found.summary.classes, result.per_class, strict=True))
    if as_json:
        report = {
            "run": found.id,
            "dataset": dataset or found.config.dataset,
            "images": images,
            "left_out": left_out,
            "looks": found.looks,
            "caveat": caveat(found),
            "test_accuracy": result.accuracy,
            "test_loss": result.loss,
            "balanced_accuracy": result.balanced_accuracy,
            "macro_f1": result.macro_f1,
            "per_class": per_class,
        }
        click.echo(json.dumps(report))
        return
    click.echo(f"test accuracy {result.accuracy:.1%} on {images:,} images")
    if is_imbalanced(result.support):
        balanced = f"balanced accuracy {result.balanced_accuracy:.1%}, macro F1 {result.macro_f1:.1%}"
        click.echo(f"  {balanced}, counting all classes equally")
    if left_out:
        click.echo(f"  without {left_out:,} that the run, or one it comes from, was trained on")
    if dataset in (None, found.config.dataset):
        click.echo(f"  these test images were used {found.looks} times so far")
    if warning := caveat(found):
        click.echo(f"  {warning}")
    for name, accuracy in per_class.items():
        click.echo(f"  {name:14} {accuracy:.1%}")


@click.command("predict")
@click.argument("run")
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@runs_option
@as_json
def predict_command(run: str, files: tuple[Path, ...], runs: Path | None, as_json: bool) -> None:
    """Predict the class of every FILE in turn: an image, or a JSON list of drawings with their strokes.

    A file that cannot be read is reported in its position; the exit code is then 2.
    """
    found = open_run(run, runs)
    trained = load_trained(found)
    answers: list[dict[str, Any]] = []
    refused: list[DrawingError] = []
    for file in files:
        try:
            inputs = _inputs(found, content_of(file))
        except DrawingError as error:
            refused.append(error)
            answers.append({"file": str(file), "error": str(error)})
        else:
            answers += [{"file": str(file), **_prediction(trained, made)} for made in inputs]
    if refused and len(files) == 1:
        raise refused[0]
    if as_json:
        click.echo(json.dumps({"predictions": answers}))
    else:
        for answer in answers:
            click.echo(_told(answer, len(files) > 1))
    if refused:
        raise DrawingError(f"{len(refused)} of {len(files)} files cannot be read")


def _inputs(run: Run, content: bytes) -> list[NetworkInput]:
    """Read a file as the run's network takes it. Raises DrawingError where it holds no image or drawing."""
    if not plain_json(content).lstrip().startswith(b"["):
        return [seen_by(run, read_picture(content))]
    if not dataset_spec(run.config.dataset).is_drawn:
        raise DrawingError(f"run {run.id} was trained on {run.config.dataset}, not on drawn characters")
    return [NetworkInput(prepare(stroke_ink(drawing), run.summary.shape[1:])) for drawing in read_drawings(content)]


def _prediction(trained: Trained, made: NetworkInput) -> dict[str, Any]:
    probabilities = dict(zip(trained.classes, trained.probabilities(made.image)[0].tolist(), strict=True))
    best = max(probabilities, key=probabilities.__getitem__)
    return {
        "class": best,
        "probability": probabilities[best],
        "probabilities": probabilities,
        "changes": list(made.changes),
    }


def _told(answer: dict[str, Any], with_file: bool) -> str:
    """Write a prediction in one line, the class first; names of classes and files may be a stranger's."""
    file = click.format_filename(answer["file"])
    if "error" in answer:
        told = [f"not read: {answer['error']}", file]
    else:
        told = [answer["class"], percent(answer["probability"]), *[file] * with_file, *answer["changes"]]
    return "  ".join(map(one_line, told))


@click.command("bench")
@click.option("--quick", is_flag=True, help="Fewer rounds, and only the race to 98% on MNIST: about 4 minutes.")
@click.option(
    "--data",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help=f"Folder of data sets [default: CNNLAB_DATA or {user_folder() / 'data'}].",
)
@click.option(
    "--precision",
    type=click.Choice(["auto", "float32", "bfloat16"]),
    default="auto",
    help="Precision of our trainings [default: auto, 16 bits if they are faster].",
)
@click.option("--section", "sections", multiple=True, help="Measure only this section; may be repeated.")
@as_json
def bench_command(quick: bool, folder: Path | None, precision: str, sections: tuple[str, ...], as_json: bool) -> None:
    """Measure this machine: our engine against tutorials. Do not use the machine meanwhile."""
    from cnnlab.bench import side_by_side  # noqa: PLC0415 - torchvision, which the other commands do without

    if unknown := set(sections) - set(side_by_side.SECTIONS):
        raise click.BadParameter(f"no section {min(unknown)!r}: choose among {', '.join(side_by_side.SECTIONS)}")
    report = side_by_side.measure(quick, folder, lambda what: click.echo(what, err=True), precision, sections)
    click.echo(side_by_side.table(report))
    if as_json:
        click.echo(json.dumps(report))
