"""Commands that train: train, teach, find-lr, sweep."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnlab.cli.forecast import in_words, plain
from cnnlab.cli.options import (
    NumberRange,
    as_json,
    config_options,
    configured,
    content_of,
    open_run,
    open_store,
    recipe_option,
    runs_option,
)
from cnnlab.data.datasets import dataset_spec
from cnnlab.data.download import downloaded_bytes
from cnnlab.drawings.strokes import read_labelled_drawings
from cnnlab.forecasting.forecast import outlook
from cnnlab.jobs.finetuning import changes, fine_tuning
from cnnlab.jobs.job import Job
from cnnlab.jobs.sweep_config import SPACES, disk_bytes, parse_sweep
from cnnlab.places import command
from cnnlab.quantities import size
from cnnlab.runs.catalogue import Catalogue
from cnnlab.runs.disk import disk_needs, shortage
from cnnlab.runs.machines import unlike_here
from cnnlab.runs.run import RunError
from cnnlab.runs.store import RunStore
from cnnlab.training.config import ConfigError, RunConfig
from cnnlab.training.lr_finder import STEPS, ramp, suggest
from cnnlab.training.memory import check_memory
from cnnlab.training.recipes import DEFAULT
from cnnlab.training.remedy import TrainingError
from cnnlab.training.run_data import check_batches, load_for

if TYPE_CHECKING:
    from cnnlab.jobs.search import Step
    from cnnlab.jobs.sweep import Sweep

POLL_SECONDS = 0.25


@click.command()
@recipe_option
@config_options
@click.option(
    "--provable", is_flag=True, help="Keep the checkpoint of each epoch, so that verify --level 2 can prove the run."
)
@runs_option
@as_json
def train(recipe: str, provable: bool, runs: Path | None, as_json: bool, **fields: object) -> None:
    """Train a network and save the run in its own folder."""
    config = configured(recipe, _with_parents_network(fields, runs))
    _tell_result(trained(config, open_store(runs), provable), as_json)


def _with_parents_network(fields: dict[str, object], runs: Path | None) -> dict[str, object]:
    """Give a branch its parent's network where none is named; a parent that is not there is told of later."""
    run = str(fields["parent"] or "").rpartition("@")[0]
    if not run or fields["architecture"]:
        return fields
    with suppress(RunError):
        return fields | {"architecture": open_run(run, runs).config.architecture.model_dump()}
    return fields


@click.command()
@click.argument("run")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@runs_option
@as_json
def teach(run: str, file: Path, runs: Path | None, as_json: bool) -> None:
    """Fine-tune RUN (an id or a folder) on FILE, a JSON list of drawings with their labels.

    The result is a new run that starts with RUN's weights.
    """
    parent = open_run(run, runs)
    store = RunStore(parent.folder.parent)
    job = trained(fine_tuning(parent, read_labelled_drawings(content_of(file))), store)
    found = changes(job.run, store)
    if as_json:
        told = {kind: {"images": on.images, "before": on.before, "after": on.after} for kind, on in found.items()}
        click.echo(json.dumps({"run": job.run.id, "folder": str(job.run.folder), "parent": parent.id, **told}))
        return
    click.echo(f"{job.summary.status} after {len(job.history.epochs)} epochs: {job.run.folder}")
    for kind, on in found.items():
        click.echo(f"  {kind:7} {on.before / on.images:8.1%} → {on.after / on.images:.1%} of {on.images:,}")


@click.command()
@click.argument("run")
@click.option("--epochs", type=click.IntRange(1, 1000), default=None, help="Train for this many more epochs.")
@click.option(
    "--learning-rate",
    type=NumberRange(0, 10, min_open=True),
    default=None,
    help="Initial learning rate of these epochs [default: a tenth of the run's]. It falls to zero.",
)
@runs_option
@as_json
def resume(run: str, epochs: int | None, learning_rate: float | None, runs: Path | None, as_json: bool) -> None:
    """Continue RUN (an id or a folder) where it ended. The result is the same as without the stop."""
    if learning_rate and not epochs:
        raise ConfigError("--learning-rate goes with --epochs: give both")
    found = open_run(run, runs)
    if other := unlike_here(found.config, found.summary):
        click.echo(f"the run was trained on another kind of machine, so its numbers will differ: {other}", err=True)
    _tell_result(_followed(Job.resume(found, epochs or 0, learning_rate)), as_json)


def _tell_result(job: Job, as_json: bool) -> None:
    """Print the result of a training."""
    summary = job.summary
    if not as_json:
        click.echo(f"{summary.status} after {len(job.history.epochs)} epochs: {job.run.folder}")
        for split, accuracy in (
            ("train", summary.train_accuracy),
            ("validation", summary.validation_accuracy),
            ("test", summary.test_accuracy),
            *[("balanced", summary.balanced_accuracy)] * summary.is_imbalanced,
        ):
            click.echo(f"  {split:10} " + ("not judged" if accuracy is None else f"{accuracy:.1%}"))
        if summary.forecast:
            click.echo(f"  {'forecast':10} {in_words(summary.forecast)} on validation images")
        if summary.status == "stopped":
            click.echo(f"continue with: {command()} resume {job.run.folder}")
        return
    keys = ("train_accuracy", "validation_accuracy", "test_accuracy", "per_class", "parameters", "seconds")
    result = summary.model_dump(mode="json", include={*keys, "macro_f1", "images_per_second", "status", "device"})
    told = {**result, "balanced_accuracy": summary.balanced_accuracy, "forecast": plain(summary.forecast)}
    click.echo(json.dumps({"run": summary.id, "folder": str(job.run.folder), **told}))


def trained(config: RunConfig, store: RunStore, provable: bool = False) -> Job:
    """Train a new run, as ``_followed``. Raises ConfigError where its batches are too large for memory or too small."""
    check_memory(config, dataset_spec(config.dataset))
    check_batches(config, dataset_spec(config.dataset))
    told = outlook(config, dataset_spec(config.dataset), Catalogue(store).entries())
    job = Job.start(config, store, provable=provable, forecast=told.forecast if told else None)
    needs = disk_needs(job.config, dataset_spec(config.dataset), provable=provable)
    _tell_disk(f"keeps {needs.title} on disk", needs.bytes, store)
    if (foreseen := job.summary.forecast) and sys.stderr.isatty():
        click.echo(f"forecast of the validation accuracy: {in_words(foreseen)}", err=True)
    return _followed(job)


def _tell_disk(told: str, more: int, store: RunStore) -> None:
    """Say on a terminal what will be left on disk, and anywhere that there is too little room."""
    if sys.stderr.isatty():
        click.echo(told, err=True)
    if missing := shortage(store.folder, more):
        click.echo(missing, err=True)


def _followed(job: Job) -> Job:
    """Wait with a progress bar until the end. Raises TrainingError where the training fails."""
    _follow(job)
    if job.state == "failed":
        raise TrainingError(job.error)
    return job


def _follow(job: Job) -> None:
    """Show a progress bar on a terminal; Ctrl-C stops a running training and keeps its whole epochs."""
    try:
        _wait_for_data(job)
        _show_progress(job)
    except KeyboardInterrupt:
        if not job.steps:
            raise
        job.stop()
        job.join()


def _wait_for_data(job: Job) -> None:
    while job.is_running and not job.steps:
        job.join(POLL_SECONDS)
        if fetched := downloaded_bytes(job.config.dataset):
            total = dataset_spec(job.config.dataset).download_bytes
            click.echo(
                f"\rfetching {job.config.dataset}: {fetched / 1e6:.0f} of {total / 1e6:.0f} MB", err=True, nl=False
            )


def _show_progress(job: Job) -> None:
    while job.is_running and job.state in ("loading", "preparing"):
        job.join(POLL_SECONDS)
        if done := job.prepared:
            click.echo(f"\rfeatures of frozen layers: {done.images:,} of {done.of:,} images", err=True, nl=False)
    with click.progressbar(length=max(job.steps, 1), file=sys.stderr, item_show_func=lambda text: text) as bar:
        while job.is_running:
            job.join(POLL_SECONDS)
            epochs = job.history.epochs
            bar.update(job.step - bar.pos, f"validation {epochs[-1]['validation_accuracy']:.1%}" if epochs else "")


@click.command("find-lr")
@recipe_option
@config_options
@as_json
def find_learning_rate(recipe: str, as_json: bool, **fields: object) -> None:
    """Suggest a learning rate from the loss along a short ramp of rising rates. It saves no run."""
    config = configured(recipe, fields)
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


@click.command()
@recipe_option
@config_options
@click.option(
    "--search",
    "searched",
    multiple=True,
    metavar="SETTING=VALUES",
    help="Settings to search: learning_rate=0.001:0.1:log, momentum=0.5:0.99, batch_size=32,64,128. [default: "
    "learning rate and batch size]",
)
@click.option(
    "--trials",
    type=int,
    default=None,
    help="Number of trials [default: 20]; with --continue, the number of further trials.",
)
@click.option("--minutes", type=float, default=None, help="Maximum minutes of training.")
@click.option("--pruner", type=click.Choice(["median", "halving", "none"]), default=None, help="[default: median]")
@click.option("--continue", "sweep_id", default=None, metavar="SWEEP", help="Continue a sweep with its own settings.")
@runs_option
@as_json
def sweep(
    recipe: str,
    searched: tuple[str, ...],
    trials: int | None,
    minutes: float | None,
    pruner: str | None,
    sweep_id: str | None,
    runs: Path | None,
    as_json: bool,
    **fields: object,
) -> None:
    """Search settings with Optuna; each trial is a run. Ctrl-C stops it, --continue continues it."""
    from cnnlab.jobs.search import search  # noqa: PLC0415 - Optuna, which others do without
    from cnnlab.jobs.sweep import SweepStore  # noqa: PLC0415

    store = SweepStore(open_store(runs).folder)
    if sweep_id:
        others = [*searched, *(value for value in (minutes, pruner, *fields.values()) if value is not None)]
        if others or recipe != DEFAULT:
            raise ConfigError("--continue keeps the sweep's settings: combine it only with --trials, --runs and --json")
        found = store.open(sweep_id)
        _ = found.study  # raises before anything is told
        if trials:
            found.extend(trials)
    else:
        space: dict[str, Any] = dict(map(_range, searched))
        space = space or {name: SPACES[name] for name in ("learning_rate", "batch_size")}
        asked = {"trials": trials, "minutes": minutes, "pruner": pruner}
        given = {name: value for name, value in asked.items() if value is not None}
        base = configured(recipe, fields)
        check_memory(base, dataset_spec(base.dataset))
        config = parse_sweep({"base": base, "space": space, **given})
        found = store.create(config)
        _tell_disk(f"up to {size(disk_bytes(config))} on disk", disk_bytes(config), store.runs)
    click.echo(f"sweep {found.id}", err=True)
    is_whole = _walk(found, search(found))
    _report(found, as_json)
    if not is_whole:
        click.echo(f"interrupted; continue with --continue {found.id}", err=True)
        sys.exit(130)


def _range(text: str) -> tuple[str, dict[str, Any]]:
    """Parse a setting and its values as typed. Raises ConfigError where they cannot be read."""
    name, _, values = text.partition("=")
    name = name.replace("-", "_")
    low, _, rest = values.partition(":")
    high, _, scale = rest.partition(":")
    if not (rest or "," in values) or scale not in ("", "log"):
        raise ConfigError(f"--search {text[:60]!r}: write SETTING=LOW:HIGH, SETTING=LOW:HIGH:log or SETTING=ONE,TWO")
    if rest:
        return name, {"low": low, "high": high, "log": scale == "log"}
    return name, {"options": [_value(part.strip()) for part in values.split(",")]}


def _value(text: str) -> Any:
    """Parse a number or truth value; leave other text as it is."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _walk(found: Sweep, steps: Generator[Step]) -> bool:
    """Show a progress bar on a terminal; return whether the sweep finished.

    Ctrl-C ends the running trials, which continue with the sweep.
    """
    with click.progressbar(length=found.config.trials, file=sys.stderr, item_show_func=lambda text: text) as bar:
        bar.update(found.ended)
        try:
            for step in steps:
                numbers = [one.number for one in step.running]
                more = f" and {len(numbers) - 1} more" if numbers[1:] else ""
                bar.update(step.ended - bar.pos, f"trial {numbers[0]}{more}")
        except KeyboardInterrupt:
            steps.close()
            return False
        bar.update(found.ended - bar.pos)
    return True


def _report(found: Sweep, as_json: bool) -> None:
    trials = [
        {
            "trial": trial.number,
            "state": "interrupted" if trial.state.name == "RUNNING" else trial.state.name.lower(),
            "validation_accuracy": trial.value,
            "run": trial.user_attrs.get("run"),
            **trial.params,
        }
        for trial in found.trials
    ]
    if as_json:
        click.echo(json.dumps({"sweep": found.id, "status": found.status, "trials": trials}))
        return
    for trial in sorted(trials, key=lambda trial: -(trial["validation_accuracy"] or 0)):
        accuracy = trial.pop("validation_accuracy")
        shown = "         " if accuracy is None else f"{accuracy:9.1%}"
        settings = ", ".join(
            f"{name} {value}" for name, value in trial.items() if name not in ("trial", "state", "run")
        )
        click.echo(f"{trial['trial']:5} {trial['state']:9} {shown}  {settings}")
