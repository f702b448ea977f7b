"""The command line over the same core as the pages: python -m cnnlab --help."""

from __future__ import annotations

import sys

import click

from cnnlab.architectures import ArchitectureError
from cnnlab.archive import ArchiveError
from cnnlab.commands import designing, judging, learning, moving, programming
from cnnlab.config import ConfigError
from cnnlab.data import DatasetError
from cnnlab.designs import DesignError
from cnnlab.interop import InteropError
from cnnlab.program import ProgramError
from cnnlab.runs import RunError
from cnnlab.strokes import DrawingError
from cnnlab.training import TrainingError
from cnnlab.worker import run_process

BAD_INPUT = (
    ArchitectureError,
    ArchiveError,
    ConfigError,
    DatasetError,
    DesignError,
    DrawingError,
    InteropError,
    ProgramError,
    RunError,
    TrainingError,
)
LONGEST = 600  # characters of a complaint, which may quote what was typed
COMMANDS = (
    judging.list_command,
    designing.network_command,
    programming.program_command,
    learning.train,
    learning.resume,
    learning.teach,
    learning.find_learning_rate,
    learning.sweep,
    judging.evaluate,
    judging.predict_command,
    moving.pack_command,
    moving.unpack_command,
    moving.export,
    judging.bench_command,
)


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
    line = "".join(letter if letter.isprintable() else "?" for letter in " ".join(message.split()))
    print("Error:", line if len(line) <= LONGEST else f"{line[:LONGEST]}…", file=sys.stderr)
    sys.exit(2)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Train small convolutional networks and see what they learned."""


for command in COMMANDS:
    cli.add_command(command)


if __name__ == "__main__":
    run_process(main)
