"""The command that starts the app."""

from __future__ import annotations

import os
import sys

import click

from cnnlab.places import app_folder


@click.command("app", context_settings={"ignore_unknown_options": True})
@click.option(
    "--class", "for_class", is_flag=True, help="For a class: pupils join with a code, programs ask /api/predict."
)
@click.argument("settings", nargs=-1, type=click.UNPROCESSED)
def app_command(for_class: bool, settings: tuple[str, ...]) -> None:
    """Start the app and open it in a browser.

    SETTINGS are Streamlit's, such as --server.port 8600.
    """
    script = app_folder() / ("class_app.py" if for_class else "app.py")
    # -P: a file in the folder where one types this must not stand in for a module of the same name.
    command = [sys.executable, "-P", "-m", "streamlit", "run", str(script), *settings]
    os.execv(sys.executable, command)
