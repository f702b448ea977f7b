"""Options that several commands take, and what they mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from math import isnan
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click

from cnnlab.data.datasets import DATASETS
from cnnlab.drawings.images import MAX_FILE_BYTES
from cnnlab.drawings.strokes import read_labelled_drawings
from cnnlab.networks.architecture import Draft
from cnnlab.networks.designs import DesignError, read_design
from cnnlab.places import user_folder
from cnnlab.pretrained.table import NETWORKS
from cnnlab.runs.catalogue import Catalogue
from cnnlab.runs.entry import Entry
from cnnlab.runs.run import Run, RunError
from cnnlab.runs.store import RunStore, runs_folder
from cnnlab.training.config import RunConfig, parse_config
from cnnlab.training.recipes import DEFAULT, RECIPES

Command = Callable[..., None]

as_json = click.option("--json", "as_json", is_flag=True, help="End stdout with one line of JSON.")
recipe_option = click.option(
    "--recipe", type=click.Choice(list(RECIPES)), default=DEFAULT, help="Start from these settings."
)
runs_option = click.option(
    "--runs",
    type=click.Path(path_type=Path),
    default=None,
    help=f"Folder of runs [default: CNNLAB_RUNS or {user_folder() / 'runs'}].",
)


class NumberRange(click.FloatRange):
    """A range of numbers without NaN, which no comparison with a bound refuses."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number. Fails where it is beyond the range, or none."""
        number = super().convert(value, param, ctx)
        if isnan(number):
            self.fail(f"{value} is not a number", param, ctx)
        return number


class Network(click.ParamType[Any]):
    """A preset's name, the file of a design made on the page Design, or a run, whose network it is."""

    name = "network"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a preset's name as it is, or the fields of the design in a file or of a run's network."""
        if str(value).endswith(".json"):
            return design_in(str(value)).model_dump()
        if value not in NETWORKS:
            with suppress(RunError):
                return open_run(str(value), None).config.architecture.model_dump()
        return click.Choice(list(NETWORKS)).convert(value, param, ctx)


class DataSet(click.ParamType[str]):
    """The name of a data set: of the table or of the user's own, there the latest version where none is named."""

    name = "data set"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Name what can be chosen in the help."""
        return f"[{'|'.join(DATASETS)}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the data set's name with its version."""
        if value not in DATASETS:
            self.fail(f"{value[:60]!r} is not one of {', '.join(map(repr, DATASETS))}", param, ctx)
        return DATASETS[value].name


def config_options(command: Command) -> Command:
    """Add an option for each field of RunConfig; unset ones leave the recipe's values."""
    for name, field in reversed(RunConfig.model_fields.items()):
        flag = f"--{name.replace('_', '-')}"
        kind: Any = field.annotation
        if name == "dataset":
            kind = DataSet()
        elif name == "architecture":
            kind = Network()
        elif name in ("parent", "start"):
            kind = click.STRING  # RUN@EPOCH, or a backbone's name
        elif name == "operations":
            kind = click.STRING  # JSON
        elif name == "split_seed":
            kind = click.INT
        elif name == "lessons":
            kind = click.Path(exists=True, dir_okay=False, path_type=Path)
        elif kind is bool:
            flag = f"{flag}/--no-{flag[2:]}"
        elif get_origin(kind) is Literal:
            kind = click.Choice(list(get_args(kind)))
        command = click.option(flag, name, type=kind, default=None)(command)
    return command


def configured(recipe: str, fields: dict[str, object]) -> RunConfig:
    """Change a recipe's config by the given fields. Raises as ``changed`` does."""
    return changed(RECIPES[recipe].config, fields)


def changed(config: RunConfig, fields: dict[str, object]) -> RunConfig:
    """Replace the config's fields by those given, which are not None.

    Raises ConfigError, and DrawingError where the lessons' file is no list of labelled drawings.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    if isinstance(file := given.get("lessons"), Path):
        given["lessons"] = read_labelled_drawings(content_of(file))
    named = {name: getattr(config, name) for name in config.model_fields_set}  # a branch inherits what is not named
    return parse_config(named | given)


def content_of(file: Path) -> bytes:
    """Read a file up to just beyond its reader's limit, for a device has no end."""
    with file.open("rb") as opened:
        return opened.read(MAX_FILE_BYTES + 1)


def design_in(file: str) -> Draft:
    """Read a design from a JSON file. Raises DesignError where there is none."""
    try:
        return read_design(content_of(Path(file)))
    except OSError as error:
        raise DesignError(f"there is no file {file!r} to read ({error.strerror})") from error


def open_run(run: str, runs: Path | None) -> Run:
    """Open a run by its folder or its id."""
    folder = Path(run)
    try:
        is_folder = folder.is_dir()
    except OSError:  # the name is too long
        is_folder = False
    if is_folder:
        return RunStore(folder.resolve().parent).open(folder.resolve().name)
    return open_store(runs).open(run)


def beside(runs: Sequence[Run]) -> list[Entry]:
    """Return the runs in the folders of ``runs``, themselves included."""
    folders = {run.folder.parent for run in runs}
    return [entry for folder in sorted(folders) for entry in Catalogue(RunStore(folder)).entries()]


def open_store(runs: Path | None) -> RunStore:
    """Open the runs of a folder, by default the environment's."""
    return RunStore(runs or runs_folder())
