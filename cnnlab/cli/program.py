"""The command that writes a training as a program which needs PyTorch and nothing of ours."""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile

import click

from cnnlab.cli.options import changed, config_options, open_run, runs_option
from cnnlab.export.program import Program, ProgramError, program_of, program_of_run, to_notebook, to_script
from cnnlab.files import atomic_file
from cnnlab.runs.run import RunError, write_aside
from cnnlab.training.recipes import RECIPES


@click.command("program")
@click.argument("training")
@click.option(
    "--to",
    "paths",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a script (.py) or a notebook (.ipynb), by the ending of the name [default: show the script].",
)
@runs_option
@config_options
def program_command(training: str, paths: tuple[Path, ...], runs: Path | None, **fields: object) -> None:
    """Write the program of TRAINING (a recipe or a run) in seven steps, its settings changed by the options."""
    program = _program(training, runs, fields)
    if not paths:
        click.echo(to_script(program), nl=False)
    for path in paths:
        _write(path, program)


def _program(training: str, runs: Path | None, fields: dict[str, object]) -> Program:
    if training in RECIPES:
        return program_of(changed(RECIPES[training].config, fields))
    try:
        run = open_run(training, runs)
    except RunError as error:
        raise ProgramError(f"{training!r} is not a recipe ({', '.join(RECIPES)}), and {error}") from error
    if all(value is None for value in fields.values()):
        return program_of_run(run)
    return program_of(changed(run.config, fields))


def _write(path: Path, program: Program) -> None:
    writers = {".py": to_script, ".ipynb": to_notebook}
    if path.suffix not in writers:
        raise ProgramError(f"{path.name}: a program is written as .py or .ipynb")
    try:
        write_aside(path, writers[path.suffix](program))
        if program.beside:
            _copy(program.beside, path.with_name(program.beside.name))
    except (RunError, OSError) as error:
        raise ProgramError(f"{path} cannot be written: {error.__cause__ or error}") from error


def _copy(file: Path, target: Path) -> None:
    if target.exists() and target.samefile(file):
        return
    with atomic_file(target) as aside:
        copyfile(file, aside)
    click.echo(f"{target} is next to it, because the program reads it.")
