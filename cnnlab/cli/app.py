"""The command that starts the app."""

from __future__ import annotations

import os
import sys

import click

from cnnlab.places import app_folder


@click.command("app", context_settings={"ignore_unknown_options": True})
@click.argument("settings", nargs=-1, type=click.UNPROCESSED)
def app_command(settings: tuple[str, ...]) -> None:
    """Start the app and open it in a browser.

    SETTINGS are Streamlit's, such as --server.port 8600.
    """
    # -P: a file in the folder where one types this must not stand in for a module of the same name.
    command = [sys.executable, "-P", "-m", "streamlit", "run", str(app_folder() / "app.py"), *settings]
    os.execv(sys.executable, command)
