"""Where the app's own files are and where a user's go, in a checkout and where it is installed."""

from __future__ import annotations

from functools import cache
from hashlib import blake2s
from pathlib import Path

from platformdirs import user_data_path

_PACKAGE = Path(__file__).parent
_INSTALLED = _PACKAGE / "_app"  # where a wheel has what lies beside the package in a checkout (pyproject.toml)


def is_installed() -> bool:
    """Return whether the app was installed from a wheel, not started in a checkout."""
    return _INSTALLED.is_dir()


def app_folder() -> Path:
    """Return the folder of app.py, the pages, the static files and Streamlit's settings."""
    return _INSTALLED if is_installed() else _PACKAGE.parent


def user_folder() -> Path:
    """Return the folder that data and runs go into: beside the app in a checkout, else the user's own."""
    return user_data_path("cnnlab", appauthor=False) if is_installed() else _PACKAGE.parent


def command() -> str:
    """Return the start of each command line: ``cnnlab`` where it is installed, else ``python -m cnnlab``."""
    return "cnnlab" if is_installed() else "python -m cnnlab"


def how_to_install() -> str:
    """Return what brings back a package that the app needs: the wheel asks for all of them, a checkout lists them."""
    return "install the app's wheel again" if is_installed() else "run pip install -r requirements.txt"


@cache
def program_digest() -> str:
    """Return a digest of what the program's files say: the same on all machines that have the same program."""
    paths = (path for path in _PACKAGE.rglob("*.py") if _INSTALLED not in path.parents)
    digest = blake2s()
    for name, path in sorted((path.relative_to(_PACKAGE).as_posix(), path) for path in paths):
        digest.update(f"{name}\n".encode() + path.read_bytes())
    return digest.hexdigest()


@cache
def sources_digest() -> str:
    """Return a digest of the program's files: caches of what it computes are of no use to another state of it."""
    states = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(_PACKAGE.rglob("*.py"))]
    return blake2s(repr(states).encode()).hexdigest()
