"""Where data sets, and what is kept to save time, lie on this machine."""

from __future__ import annotations

import os
from pathlib import Path

from cnnlab.places import user_folder


def data_folder() -> Path:
    """Return the folder of data sets: the environment's CNNLAB_DATA, else ``data/`` in the user's folder."""
    return Path(os.environ.get("CNNLAB_DATA") or user_folder() / "data").expanduser()


def pictures_folder() -> Path:
    """Return the folder of users' own data sets: CNNLAB_PICTURES, else ``pictures/`` in the folder of data sets."""
    return Path(os.environ.get("CNNLAB_PICTURES") or data_folder() / "pictures").expanduser()


def cache_folder() -> Path:
    """Return the folder of what can be computed or fetched again: CNNLAB_CACHE, else the user's own cache."""
    of_user = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "cnnlab"
    return Path(os.environ.get("CNNLAB_CACHE") or of_user).expanduser()
