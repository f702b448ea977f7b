"""The command line, on the same core as the pages: python -m cnnlab --help; where it is installed, cnnlab --help."""

from __future__ import annotations

import sys

import click
from click.exceptions import NoArgsIsHelpError

from cnnlab.cli import (
    app,
    archive,
    blame,
    bring,
    cluster,
    compare,
    data,
    diagnose,
    evaluate,
    forecast,
    network,
    program,
    pruning,
    report,
    serve,
    train,
    verify,
)
from cnnlab.errors import CnnLabError
from cnnlab.export.mirror import listen, mirror
from cnnlab.threads import run_process

LONGEST = 600  # characters of an error message, which may quote the input
COMMANDS = (
    app.app_command,
    evaluate.list_command,
    network.network_command,
    program.program_command,
    train.train,
    train.resume,
    train.teach,
    verify.verify_command,
    diagnose.diagnose_command,
    pruning.prune,
    blame.blame_command,
    train.find_learning_rate,
    forecast.forecast_command,
    train.sweep,
    evaluate.evaluate,
    evaluate.predict_command,
    compare.compare_command,
    archive.pack_command,
    archive.unpack_command,
    archive.export,
    report.report_command,
    bring.bring_command,
    serve.serve_command,
    cluster.cluster_command,
    evaluate.bench_command,
    data.data,
)


def main() -> None:
    """Run the command line; bad input ends with exit code 2 and one line on stderr, no input with the help."""
    listen()
    try:
        cli.main(standalone_mode=False)
        mirror.join()
    except NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else error.format_message(), err=True)
        sys.exit(2)
    except click.ClickException as error:
        _complain(error.format_message())
    except CnnLabError as error:
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


def run() -> None:
    """Run the command line as a process of its own."""
    run_process(main)


if __name__ == "__main__":
    run()
