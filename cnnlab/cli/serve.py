"""The command that puts a network at an address."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

import click

from cnnlab.cli.options import open_run, runs_option

LEAVING = 3  # seconds for what is still asked when the server ends


@click.command("serve")
@click.argument("run")
@click.option("--host", default="127.0.0.1", show_default=True, help="Use 0.0.0.0 to allow other machines.")
@click.option("--port", type=click.IntRange(1, 65535), default=8600, show_default=True)
@click.option(
    "--key", envvar="CNNLAB_KEY", default="", help="Only requests with this key get an answer [default: CNNLAB_KEY]."
)
@click.option("--threads", type=click.IntRange(1, 64), default=1, show_default=True, help="Processor threads.")
@runs_option
def serve_command(run: str, host: str, port: int, key: str, threads: int, runs: Path | None) -> None:
    """Serve the network of RUN (an id or a folder) over HTTP. POST /predict takes pictures, pixels or strokes."""
    import torch  # noqa: PLC0415 - slow, and not needed by other commands
    import uvicorn  # noqa: PLC0415

    from cnnlab.export.portable import Portable  # noqa: PLC0415
    from cnnlab.serve.app import application  # noqa: PLC0415

    found = open_run(run, runs)
    torch.set_num_threads(threads)
    app = application(Portable.of(found, found.title), key)
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=LEAVING)
    )
    with _listening(host, port) as listener:
        click.echo(f"{found.title}: http://{host}:{port}")
        with suppress(KeyboardInterrupt):  # Ctrl+C, after it has ended
            server.run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Said to be TCP: else asyncio leaves Nagle's algorithm on, and each answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    return listener
