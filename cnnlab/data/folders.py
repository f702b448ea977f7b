"""Where data sets lie on this machine."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder() -> Path:
    """Return the folder of data sets: the environment's CNNLAB_DATA, else ``data/`` beside the app."""
    return Path(os.environ.get("CNNLAB_DATA") or Path(__file__).parents[2] / "data").expanduser()


def pictures_folder() -> Path:
    """Return the folder of users' own data sets: CNNLAB_PICTURES, else ``pictures/`` in the folder of data sets."""
    return Path(os.environ.get("CNNLAB_PICTURES") or data_folder() / "pictures").expanduser()
