"""Commands for a user's own pictures: python -m cnnlab data add, none, list, check, pack, unpack, remove, restore."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import torch

from cnnlab.analysis.cross_validation import METHODS, cross_validate
from cnnlab.analysis.ood import NONE
from cnnlab.cli.options import as_json
from cnnlab.data.borrowing import borrow
from cnnlab.data.datasets import dataset_spec, own_pictures
from cnnlab.data.pictures.adding import add
from cnnlab.data.pictures.archive import pack, unpack
from cnnlab.data.pictures.assembling import Added, Options
from cnnlab.data.pictures.checking import all_advice, check, counts, unconfirmed
from cnnlab.data.pictures.confirmed import confirmed
from cnnlab.data.pictures.sources import open_source
from cnnlab.data.pictures.version import Version
from cnnlab.text import one_line

SHOWN = 10  # files of each kind
NAMED = 3  # refused files in a line


@click.group("data")
def data() -> None:
    """Manage data sets of your own pictures."""
    torch.set_num_threads(1)  # small products gain little from more, and on a busy machine they wait for one another


@data.command("add")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--name", required=True, help="Its name: small letters, digits and hyphens.")
@click.option("--title", default="", help="Its title on the pages.")
@click.option(
    "--size", type=click.IntRange(8, 512), default=None, help="Pixels per side [default: depends on the pictures]."
)
@click.option("--colour", type=click.Choice(["auto", "rgb", "grey"]), default="auto", show_default=True)
@click.option("--fit", type=click.Choice(["crop", "pad", "squash"]), default="crop", show_default=True)
@as_json
def add_command(path: Path, name: str, title: str, size: int | None, colour: str, fit: str, as_json: bool) -> None:
    """Add the pictures of PATH, a folder or a ZIP with a folder per class, as a data set or a new version of one."""
    options = Options(name=name, title=title, size=size, colour=colour, fit=fit)  # type: ignore[arg-type]
    with open_source(path) as source:
        for step in add(source, options, own_pictures()):
            if isinstance(step, Added):
                _complain(step)
                click.echo(json.dumps(_told(step)) if as_json else _in_words(step))
            elif sys.stderr.isatty():
                click.echo(f"\r{step.doing} {step.number:,} of {step.total:,} \r", nl=False, err=True)


def _complain(added: Added) -> None:
    """Say on stderr, in one line, what was not used although it should have been."""
    refused = added.contents.refused
    parts = [f"no file of the class {name!r} could be used" for name in added.lost[:NAMED]]
    if refused:
        reasons = "; ".join(f"{file}: {reason}" for file, reason in refused[:NAMED])
        more = "; …" if len(refused) > NAMED else ""
        parts.append(f"{len(refused):,} of the files refused ({reasons}{more})")
    if parts:
        click.echo(one_line(f"Warning: {', '.join(parts)}; --json lists all"), err=True)


def _told(added: Added) -> dict[str, object]:
    version = added.version
    return {
        "name": version.name,
        "version": version.number,
        "digest": version.digest,
        "classes": list(version.classes),
        "shape": list(version.shape),
        "train": version.train,
        "test": version.test,
        "used": [{"file": row.path, "reason": row.note} for row in sorted(added.rows, key=lambda row: row.path)],
        "refused": _files(added.contents.refused),
        "ignored": _files(added.contents.ignored),
        "near_duplicates": added.near_duplicates,
        "same_picture_two_classes": added.same_picture_two_classes,
        "copies": added.copies,
    }


def _files(reported: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"file": file, "reason": reason} for file, reason in reported]


def _in_words(added: Added) -> str:
    version, contents = added.version, added.contents
    lines = [
        f"{version.key}: {len(added.rows):,} pictures of {len(version.classes):,} classes, {version.size} px"
        f" in {'colour' if version.channels > 1 else 'grey'}: {version.train:,} to train on, {version.test:,} to test"
    ]
    for what, files in (("refused", contents.refused), ("ignored", contents.ignored)):
        lines += [f"{len(files):,} {what}"] if files else []
        lines += ["  " + one_line(f"{file}: {reason}") for file, reason in files[:SHOWN]]
    for what, groups in (
        ("the same picture in two classes", added.same_picture_two_classes),
        ("near duplicates", added.near_duplicates),
        ("copies", added.copies),
    ):
        lines += [f"{len(groups):,} × {what}"] if groups else []
        lines += [_listing(group) for group in groups[:SHOWN]]
    return "\n".join(lines)


def _listing(files: Sequence[str]) -> str:
    """List files of strangers in a line that moves no terminal."""
    return "  " + one_line(", ".join(files[:SHOWN]))


@data.command("none")
@click.argument("name")
@click.option("--from", "other", required=True, help="The data set to copy pictures from.")
@as_json
def none_command(name: str, other: str, as_json: bool) -> None:
    """Add a class "none" to the data set NAME: random pictures of another data set, as many as a class has."""
    library = own_pictures()
    *_, version = borrow(library, library.version(name), dataset_spec(other), NONE)
    assert isinstance(version, Version)
    click.echo(json.dumps(_listed(version)) if as_json else f"{version.key}: {version.change}")


@data.command("list")
@as_json
def list_command(as_json: bool) -> None:
    """List your data sets with all versions."""
    library = own_pictures()
    versions = [version for name in library.names() for version in library.versions(name)]
    if as_json:
        click.echo(json.dumps([_listed(version) for version in versions]))
        return
    for version in versions:
        click.echo(f"{version.key:24} {version.train + version.test:8,} pictures, {len(version.classes):,} classes")
    if not versions:
        click.echo("none yet: add a folder or a ZIP with a folder per class by data add PATH --name NAME")


def _listed(version: Version) -> dict[str, object]:
    return version.model_dump(mode="json", exclude={"pixels", "extends"})


@data.command("cross-validate")
@click.argument("name")
@click.option("--method", "methods", multiple=True, type=click.Choice(list(METHODS)), help="[default: all]")
@click.option("--seed", type=click.IntRange(0), default=0, help="Seed of the folds and the trainings.")
@as_json
def cross_validate_command(name: str, methods: tuple[str, ...], seed: int, as_json: bool) -> None:
    """Check how well networks tell the classes of the data set NAME apart, from quick to thorough methods."""
    step = None
    with click.progressbar(length=100, file=sys.stderr, item_show_func=lambda text: text) as bar:
        for step in cross_validate(dataset_spec(name).name, methods or tuple(METHODS), seed):
            bar.update(int(100 * step.done) - bar.pos, step.stage)
    assert step
    if as_json:
        told = {one.method: {"right": one.right, "images": one.images} for one in step.results}
        click.echo(json.dumps({"name": dataset_spec(name).name, "methods": told}))
        return
    for one in step.results:
        click.echo(f"{METHODS[one.method]:30} {one.right / one.images:8.1%} of {one.images:,}")


@data.command("check")
@click.argument("name")
@as_json
def check_command(name: str, as_json: bool) -> None:
    """Look for problems in the pictures of the data set NAME, or of NAME@VERSION."""
    library = own_pictures()
    version = library.version(name)
    rows = library.rows(version)
    checked = check(version, rows, library.pixels(version), library.features(version))
    found = unconfirmed(checked, confirmed(library, version))
    told = all_advice(version, rows)
    named = {one.kind: [[rows[number].path for number in group] for group in one.groups] for one in found}
    if as_json:
        report = {
            "name": version.name,
            "version": version.number,
            "digest": version.digest,
            "classes": {one.name: {"train": one.train, "test": one.test} for one in counts(version, rows)},
            "advice": told,
            "findings": {kind.replace(" ", "_"): groups for kind, groups in named.items()},
        }
        click.echo(json.dumps(report))
        return
    for line in told:
        click.echo(one_line(line))
    for one in found:
        click.echo(f"{one.title}: {len(one.groups):,}. {one.advice}")
        for group in named[one.kind][:SHOWN]:
            click.echo(_listing(group))
        if len(named[one.kind]) > SHOWN:
            click.echo(f"  and {len(named[one.kind]) - SHOWN:,} more: --json lists all")
    if not found:
        click.echo("no problems found in these pictures")


@data.command("pack")
@click.argument("name")
@click.option("--to", "path", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The ZIP to write.")
@as_json
def pack_command(name: str, path: Path, as_json: bool) -> None:
    """Pack the data set NAME, or NAME@VERSION, with its pictures into one archive, for another machine."""
    library = own_pictures()
    version = library.version(name)
    pack(library, version, path)
    if as_json:
        click.echo(json.dumps({"packed": version.key, "file": str(path), "bytes": path.stat().st_size}))
        return
    click.echo(f"{path}: {version.key}, {path.stat().st_size / 1e6:.1f} MB")


@data.command("unpack")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
def unpack_command(file: Path, as_json: bool) -> None:
    """Add the data set in FILE, an archive from data pack or from the page Data. Runs trained on it find it."""
    with file.open("rb") as archive:
        unpacked = unpack(archive, own_pictures())
    key = unpacked.version.key
    if as_json:
        click.echo(json.dumps({"unpacked": key, "is_new": unpacked.is_new}))
        return
    click.echo(f"{key} added" if unpacked.is_new else f"{key} already exists and stays unchanged")


@data.command("remove")
@click.argument("name")
@as_json
def remove_command(name: str, as_json: bool) -> None:
    """Remove the data set NAME with all versions. You can restore it for a week."""
    key = own_pictures().remove(name)
    click.echo(json.dumps({"removed": key}) if as_json else f"removed: data restore {key} restores it")


@data.command("restore")
@click.argument("key")
@as_json
def restore_command(key: str, as_json: bool) -> None:
    """Restore a removed data set by the KEY that remove printed."""
    name = own_pictures().restore(key)
    click.echo(json.dumps({"restored": name}) if as_json else f"restored: {name}")
