"""The command line over the same core as the pages: python -m cnnlab --help."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click

from cnnlab.architectures import PRESETS, ArchitectureError, summarise
from cnnlab.archive import ArchiveError, pack_file, unpack
from cnnlab.config import ConfigError, RunConfig, parse_config
from cnnlab.data import DATASETS, DatasetError, dataset_spec, downloaded_bytes, is_present, load_for
from cnnlab.digits import DrawingError, image_input, prepare, read_drawings, read_image, stroke_ink
from cnnlab.finder import STEPS, ramp, suggest
from cnnlab.inference import judge, load_trained
from cnnlab.interop import InteropError, to_mlflow, to_tensorboard
from cnnlab.job import Job
from cnnlab.recipes import RECIPES
from cnnlab.runs import Run, RunError, RunStore, runs_folder
from cnnlab.training import TrainingError

BAD_INPUT = (
    ArchitectureError,
    ArchiveError,
    ConfigError,
    DatasetError,
    DrawingError,
    InteropError,
    RunError,
    TrainingError,
)
POLL_SECONDS = 0.25

Command = Callable[..., None]


def main() -> None:
    """Run the command line; bad input ends with exit code 2 and one line on stderr."""
    try:
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        _complain(error.format_message())
    except BAD_INPUT as error:
        _complain(str(error))
    except click.Abort:
        sys.exit(130)


def _complain(message: str) -> None:
    print("Error:", " ".join(message.split()), file=sys.stderr)
    sys.exit(2)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Train small convolutional networks and see what they learned."""


as_json = click.option("--json", "as_json", is_flag=True, help="End stdout with one line of JSON.")
runs_option = click.option(
    "--runs", type=click.Path(path_type=Path), default=None, help="Folder of runs [default: CNNLAB_RUNS or runs/]."
)


def _config_options(command: Command) -> Command:
    """One option per field of RunConfig; unset ones leave the recipe's values."""
    for name, field in reversed(RunConfig.model_fields.items()):
        flag = f"--{name.replace('_', '-')}"
        kind: Any = field.annotation
        if name == "dataset":
            kind = click.Choice(list(DATASETS))
        elif name == "architecture":
            kind = click.Choice(list(PRESETS))
        elif kind is bool:
            flag = f"{flag}/--no-{flag[2:]}"
        elif get_origin(kind) is Literal:
            kind = click.Choice(list(get_args(kind)))
        command = click.option(flag, name, type=kind, default=None)(command)
    return command


@cli.command("list")
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


@cli.command()
@click.option("--recipe", type=click.Choice(list(RECIPES)), default="default", help="Start from these settings.")
@_config_options
@runs_option
@as_json
def train(recipe: str, runs: Path | None, as_json: bool, **fields: object) -> None:
    """Train a network; the run is kept in its own folder."""
    job = Job.start(_configured(recipe, fields), _store(runs))
    _follow(job)
    if job.state == "failed":
        _complain(job.error)
    summary = job.summary
    if not as_json:
        click.echo(f"{summary.status} after {len(job.history.epochs)} epochs: {job.run.folder}")
        for split, accuracy in (
            ("train", summary.train_accuracy),
            ("validation", summary.validation_accuracy),
            ("test", summary.test_accuracy),
        ):
            click.echo(f"  {split:10} " + ("not judged" if accuracy is None else f"{accuracy:.2%}"))
        return
    keys = ("train_accuracy", "validation_accuracy", "test_accuracy", "per_class", "parameters", "seconds")
    result = summary.model_dump(mode="json", include={*keys, "images_per_second", "status", "device"})
    click.echo(json.dumps({"run": summary.id, "folder": str(job.run.folder), **result}))


def _configured(recipe: str, fields: dict[str, object]) -> RunConfig:
    """A recipe's config with the fields that were given."""
    given = {name: value for name, value in fields.items() if value is not None}
    return parse_config(RECIPES[recipe].config.model_dump() | given)


def _follow(job: Job) -> None:
    """A progress bar on a terminal; Ctrl-C stops the training and keeps what is whole."""
    while job.state == "loading" and job.is_running:
        job.join(POLL_SECONDS)
        if fetched := downloaded_bytes(job.config.dataset):
            total = dataset_spec(job.config.dataset).download_bytes
            click.echo(
                f"\rfetching {job.config.dataset}: {fetched / 1e6:.0f} of {total / 1e6:.0f} MB", err=True, nl=False
            )
    with click.progressbar(length=max(job.steps, 1), file=sys.stderr, item_show_func=lambda text: text) as bar:
        try:
            while job.is_running:
                job.join(POLL_SECONDS)
                epochs = job.history.epochs
                bar.update(job.step - bar.pos, f"validation {epochs[-1]['validation_accuracy']:.2%}" if epochs else "")
        except KeyboardInterrupt:
            job.stop()
            job.join()


@cli.command("find-lr")
@click.option("--recipe", type=click.Choice(list(RECIPES)), default="default", help="Start from these settings.")
@_config_options
@as_json
def find_learning_rate(recipe: str, as_json: bool, **fields: object) -> None:
    """Suggest a learning rate: the loss along a short ramp of rising rates. No run is kept."""
    config = _configured(recipe, fields)
    data = load_for(config)
    with click.progressbar(length=STEPS, file=sys.stderr) as bar:
        points = []
        for point in ramp(data, config):
            points.append(point)
            bar.update(point.step - bar.pos)
    suggestion = suggest(points)
    if as_json:
        curve = [{"learning_rate": point.learning_rate, "loss": point.loss} for point in points]
        click.echo(json.dumps({"suggestion": suggestion, "curve": curve}))
        return
    click.echo("learning rate   loss")
    for point in points:
        click.echo(f"{point.learning_rate:13.2e}   {point.loss:.4f}")
    click.echo(f"suggestion: {suggestion:.2g}")


@cli.command()
@click.argument("run")
@click.option("--dataset", type=click.Choice(list(DATASETS)), default=None, help="Another test set of the same kind.")
@runs_option
@as_json
def evaluate(run: str, dataset: str | None, runs: Path | None, as_json: bool) -> None:
    """Accuracy of RUN (an id or a folder) on its data set's test images."""
    found = _run(run, runs)
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


@cli.command("predict")
@click.argument("run")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@runs_option
@as_json
def predict_command(run: str, file: Path, runs: Path | None, as_json: bool) -> None:
    """Classes of FILE: an image, or a JSON list of drawings with their strokes."""
    found = _run(run, runs)
    trained = load_trained(found)
    is_drawn = dataset_spec(found.config.dataset).is_drawn
    content = file.read_bytes()
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


@cli.command("pack")
@click.argument("run", nargs=-1, required=True)
@click.option("--to", "path", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The ZIP to write.")
@runs_option
@as_json
def pack_command(run: tuple[str, ...], path: Path, runs: Path | None, as_json: bool) -> None:
    """Put each RUN (an id or a folder) into one archive, for another machine."""
    found = [_run(name, runs) for name in run]
    pack_file(found, path)
    if as_json:
        click.echo(json.dumps({"runs": [one.id for one in found], "file": str(path), "bytes": path.stat().st_size}))
        return
    click.echo(f"{path}: {len(found)} runs, {path.stat().st_size / 1e6:.1f} MB")


@cli.command("unpack")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@runs_option
@as_json
def unpack_command(file: Path, runs: Path | None, as_json: bool) -> None:
    """Add the runs of FILE, an archive made by pack; those that are here already stay as they are."""
    store = _store(runs)
    with file.open("rb") as archive:
        unpacked = unpack(archive, store)
    if as_json:
        click.echo(json.dumps({"added": unpacked.added, "known": unpacked.known, "folder": str(store.folder)}))
        return
    click.echo(f"{len(unpacked.added)} added to {store.folder}, {len(unpacked.known)} were there already")
    for run_id in unpacked.added:
        click.echo(f"  {run_id}")


@cli.command("bench")
@click.option("--quick", is_flag=True, help="Fewer rounds, and only the race to 98 % on MNIST: about 4 minutes.")
@click.option(
    "--data",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Folder of data sets [default: CNNLAB_DATA or data/].",
)
@as_json
def bench_command(quick: bool, folder: Path | None, as_json: bool) -> None:
    """Measure this machine: our engine against what tutorials do. Leave it alone meanwhile."""
    from cnnlab import bench  # noqa: PLC0415 - torchvision, which the other commands do without

    report = bench.measure(quick, folder, say=lambda what: click.echo(what, err=True))
    click.echo(bench.table(report))
    if as_json:
        click.echo(json.dumps(report))


@cli.command()
@click.argument("run")
@click.option(
    "--tensorboard",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Write TensorBoard's event files to a folder of the run's own in this one.",
)
@click.option("--mlflow", "with_mlflow", is_flag=True, help="Log the run to MLflow; a second time adds what is new.")
@click.option("--tracking-uri", default=None, help="Where MLflow keeps its runs [default: MLFLOW_TRACKING_URI].")
@runs_option
@as_json
def export(
    run: str, folder: Path | None, with_mlflow: bool, tracking_uri: str | None, runs: Path | None, as_json: bool
) -> None:
    """Write RUN's metrics (an id or a folder) for TensorBoard, MLflow or both."""
    if folder is None and not with_mlflow:
        raise click.UsageError("where to? --tensorboard FOLDER, --mlflow or both")
    if tracking_uri is not None and not with_mlflow:
        raise click.UsageError("--tracking-uri goes with --mlflow")
    found = _run(run, runs)
    events = to_tensorboard(found, folder) if folder else None
    logged = to_mlflow(found, tracking_uri) if with_mlflow else None
    if as_json:
        click.echo(json.dumps({"run": found.id, "tensorboard": events and str(events), "mlflow": logged}))
        return
    if events:
        click.echo(f"TensorBoard: {events}")
    if logged:
        click.echo(f"MLflow: run {logged}")


def _run(run: str, runs: Path | None) -> Run:
    """A run by its folder or its id."""
    folder = Path(run)
    return RunStore(folder.resolve().parent).open(folder.resolve().name) if folder.is_dir() else _store(runs).open(run)


def _store(runs: Path | None) -> RunStore:
    return RunStore(runs or runs_folder())


if __name__ == "__main__":
    main()
