"""The styles and scripts of our components, files beside their modules."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent


def joined(*names: str) -> str:
    """Return the text of files of this folder one after another, as what several components share comes first."""
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)
