"""Commands that take runs elsewhere: pack, unpack, export."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import click

from cnnlab.cli.exporting import described, written
from cnnlab.cli.options import as_json, open_run, open_store, runs_option
from cnnlab.export.formats.table import EXPORTS
from cnnlab.export.huggingface_hub import to_hugging_face
from cnnlab.export.mlflow import to_mlflow
from cnnlab.export.tensorboard import to_tensorboard
from cnnlab.runs.archive import pack_file, unpack
from cnnlab.runs.archive_pictures import versions_of


@click.command("pack")
@click.argument("run", nargs=-1, required=True)
@click.option("--to", "path", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The ZIP to write.")
@click.option("--pictures", "with_pictures", is_flag=True, help="Also pack your own pictures that they learned from.")
@runs_option
@as_json
def pack_command(run: tuple[str, ...], path: Path, with_pictures: bool, runs: Path | None, as_json: bool) -> None:
    """Pack each RUN (an id or a folder) into one archive, for another machine."""
    found = [open_run(name, runs) for name in run]
    versions = versions_of(one.config.dataset for one in found) if with_pictures else []
    pack_file(found, path, versions)
    keys, size = [version.key for version in versions], path.stat().st_size
    if as_json:
        told = {"runs": [one.id for one in found], "pictures": keys, "file": str(path), "bytes": size}
        click.echo(json.dumps(told))
        return
    click.echo(f"{path}: {len(found)} run{'s' * (len(found) > 1)}, {size / 1e6:.1f} MB")
    for key in keys:
        click.echo(f"  with the pictures {key}")
    if with_pictures and not keys:
        click.echo("  without pictures: none of these runs learned from your own")


@click.command("unpack")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@runs_option
@as_json
def unpack_command(file: Path, runs: Path | None, as_json: bool) -> None:
    """Add the runs and pictures of FILE, an archive made by pack. Existing ones stay unchanged."""
    store = open_store(runs)
    with file.open("rb") as archive:
        unpacked = unpack(archive, store)
    if as_json:
        brought = [{"key": one.version.key, "is_new": one.is_new} for one in unpacked.pictures]
        told = {"added": unpacked.added, "known": unpacked.known, "pictures": brought, "folder": str(store.folder)}
        click.echo(json.dumps(told))
        return
    click.echo(f"{len(unpacked.added)} added to {store.folder}, {len(unpacked.known)} were already there")
    for run_id in unpacked.added:
        click.echo(f"  {run_id}")
    for one in unpacked.pictures:
        click.echo(f"pictures {one.version.key} " + ("added" if one.is_new else "were already there"))


@click.command()
@click.argument("run")
@click.option(
    "--tensorboard",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Write TensorBoard's event files to a new folder for the run inside FOLDER.",
)
@click.option(
    "--mlflow", "with_mlflow", is_flag=True, help="Log the run to MLflow. A second time adds only what is new."
)
@click.option("--tracking-uri", default=None, help="Where MLflow keeps its runs [default: MLFLOW_TRACKING_URI].")
@click.option("--hugging-face", "repository", default=None, help="Push its network and card to this USER/NAME.")
@click.option("--public", is_flag=True, help="Make a new --hugging-face repository public.")
@click.option(
    "--to",
    "paths",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"Write its network as a file. The name ends in {', '.join(f'.{suffix}' for suffix in EXPORTS)}.",
)
@runs_option
@as_json
def export(
    run: str,
    folder: Path | None,
    with_mlflow: bool,
    tracking_uri: str | None,
    repository: str | None,
    public: bool,
    paths: tuple[Path, ...],
    runs: Path | None,
    as_json: bool,
) -> None:
    """Export RUN (an id or a folder): its network as files, or its metrics to TensorBoard or MLflow."""
    if folder is None and not with_mlflow and not repository and not paths:
        raise click.UsageError("choose a target: --to FILE, --tensorboard FOLDER, --mlflow or --hugging-face USER/NAME")
    if tracking_uri is not None and not with_mlflow:
        raise click.UsageError("--tracking-uri goes with --mlflow")
    if public and not repository:
        raise click.UsageError("--public goes with --hugging-face")
    found = open_run(run, runs)
    events = to_tensorboard(found, folder) if folder else None
    logged = to_mlflow(found, tracking_uri) if with_mlflow else None
    pushed = to_hugging_face(found, repository, public) if repository else None
    network, files = written(found, paths, partial(click.echo, err=True)) if paths else (None, [])
    if as_json:
        told = {
            "run": found.id,
            "tensorboard": events and str(events),
            "mlflow": logged,
            "hugging_face": pushed,
            "network": network,
            "files": files,
        }
        click.echo(json.dumps(told))
        return
    for one in [network, *files] if network else []:
        click.echo(described(one))
    if events:
        click.echo(f"TensorBoard: {events}")
    if logged:
        click.echo(f"MLflow: run {logged}")
    if pushed:
        click.echo(f"Hugging Face: {pushed}")
