"""Commands that look at what there is: list, evaluate, predict, bench."""

from __future__ import annotations

import json
from pathlib import Path

import click

from cnnlab.architectures import summarise
from cnnlab.commands.options import as_json, content_of, open_run, runs_option
from cnnlab.data import DATASETS, dataset_spec, is_present
from cnnlab.digits import image_input, prepare, read_image, stroke_ink
from cnnlab.inference import judge, load_trained
from cnnlab.presets import PRESETS
from cnnlab.recipes import RECIPES
from cnnlab.strokes import DrawingError, read_drawings


@click.command("list")
@as_json
def list_command(as_json: bool) -> None:
    """Data sets, architectures and recipes."""
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
    recipes: list[dict[str, object]] = [
        {"name": recipe.name, "title": recipe.title, "claim": recipe.claim} for recipe in RECIPES.values()
    ]
    if as_json:
        click.echo(json.dumps({"datasets": datasets, "architectures": architectures, "recipes": recipes}))
        return
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
@click.option("--dataset", type=click.Choice(list(DATASETS)), default=None, help="Another test set of the same kind.")
@runs_option
@as_json
def evaluate(run: str, dataset: str | None, runs: Path | None, as_json: bool) -> None:
    """Accuracy of RUN (an id or a folder) on its data set's test images."""
    found = open_run(run, runs)
    result = judge(found, dataset)
    per_class = dict(zip(found.summary.classes, result.per_class, strict=True))
    if as_json:
        report = {
            "run": found.id,
            "dataset": dataset or found.config.dataset,
            "images": sum(result.support),
            "test_accuracy": result.accuracy,
            "test_loss": result.loss,
            "per_class": per_class,
        }
        click.echo(json.dumps(report))
        return
    click.echo(f"test accuracy {result.accuracy:.2%} on {sum(result.support):,} images")
    for name, accuracy in per_class.items():
        click.echo(f"  {name:14} {accuracy:.2%}")


@click.command("predict")
@click.argument("run")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@runs_option
@as_json
def predict_command(run: str, file: Path, runs: Path | None, as_json: bool) -> None:
    """Classes of FILE: an image, or a JSON list of drawings with their strokes."""
    found = open_run(run, runs)
    trained = load_trained(found)
    is_drawn = dataset_spec(found.config.dataset).is_drawn
    content = content_of(file)
    if content.lstrip()[:1] == b"[":
        if not is_drawn:
            raise DrawingError(f"run {found.id} was trained on {found.config.dataset}, not on drawn characters")
        size = (trained.shape[1], trained.shape[2])
        images = [prepare(stroke_ink(drawing), size) for drawing in read_drawings(content)]
    else:
        images = [image_input(read_image(content), trained.shape, is_drawn)]
    predictions = []
    for image in images:
        probabilities = trained.probabilities(image)[0].tolist()
        named = dict(zip(trained.classes, probabilities, strict=True))
        best = max(named, key=lambda name: named[name])
        predictions.append({"class": best, "probability": named[best], "probabilities": named})
    if as_json:
        click.echo(json.dumps({"predictions": predictions}))
        return
    for prediction in predictions:
        click.echo(f"{prediction['class']}  {prediction['probability']:.1%}")


@click.command("bench")
@click.option("--quick", is_flag=True, help="Fewer rounds, and only the race to 98 % on MNIST: about 4 minutes.")
@click.option(
    "--data",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Folder of data sets [default: CNNLAB_DATA or data/].",
)
@click.option(
    "--precision",
    type=click.Choice(["auto", "float32", "bfloat16"]),
    default="auto",
    help="Of our trainings [default: auto, 16 bits where they pay].",
)
@as_json
def bench_command(quick: bool, folder: Path | None, precision: str, as_json: bool) -> None:
    """Measure this machine: our engine against what tutorials do. Leave it alone meanwhile."""
    from cnnlab import bench  # noqa: PLC0415 - torchvision, which the other commands do without

    report = bench.measure(quick, folder, say=lambda what: click.echo(what, err=True), precision=precision)
    click.echo(bench.table(report))
    if as_json:
        click.echo(json.dumps(report))
