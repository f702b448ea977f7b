"""The commands for a cluster that trains."""

from __future__ import annotations

import click

from cnnlab.cluster.address import PORT, VARIABLE, wanted


@click.group("cluster")
def cluster_command() -> None:
    """Train on several processes or machines, with Ray (pip install -r requirements-cluster.txt)."""


@cluster_command.command("up")
@click.option("--host", default="127.0.0.1", show_default=True, help="This machine's address, as others see it.")
@click.option("--port", type=click.IntRange(1024, 65535), default=PORT, show_default=True)
@click.option("--cores", type=click.IntRange(1), default=None, help="Cores to train on [default: all].")
def up(host: str, port: int, cores: int | None) -> None:
    """Start a cluster with this machine as its first node."""
    from cnnlab.cluster.machine import start_head  # noqa: PLC0415 - torch is slow, and not needed by other commands

    part = start_head(host, port, cores)
    click.echo(f"A cluster runs at {part.address}. Start the app, or a training, with {VARIABLE}={part.address}")


@cluster_command.command("join")
@click.argument("address")
@click.option("--cores", type=click.IntRange(1), default=None, help="Cores to train on [default: all].")
def join_command(address: str, cores: int | None) -> None:
    """Add this machine to the cluster at ADDRESS."""
    from cnnlab.cluster.machine import join  # noqa: PLC0415

    click.echo(f"This machine trains for {join(address, cores).address}")


@cluster_command.command("down")
def down() -> None:
    """Stop this machine's part of the cluster. Trainings on it continue on other nodes."""
    from cnnlab.cluster.machine import stop  # noqa: PLC0415

    click.echo("Stopped" if stop() else "Nothing runs on this machine")


@cluster_command.command("status")
@click.argument("address", default="")
def status(address: str) -> None:
    """List the nodes of the cluster at ADDRESS [default: CNNLAB_CLUSTER, else this machine's]."""
    from cnnlab.cluster.connection import Connection  # noqa: PLC0415
    from cnnlab.cluster.machine import running  # noqa: PLC0415

    part = running()
    address = address or wanted() or (part.address if part else "")
    if not address:
        click.echo("Nothing runs on this machine")
        return
    connection = Connection(address)
    for node in connection.nodes():
        gpus = f", {node.gpus} GPU{'s' * (node.gpus > 1)}" if node.gpus else ""
        click.echo(f"{node.host:15}  {node.cores} cores{gpus}")
    connection.close()
