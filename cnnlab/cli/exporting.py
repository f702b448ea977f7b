"""A run's network as files for other places."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnlab.export.formats.table import EXPORTS
from cnnlab.export.portable import ExportError
from cnnlab.files import atomic_file
from cnnlab.runs.run import Run

if TYPE_CHECKING:
    from cnnlab.export.formats.exporting import Exported


def written(run: Run, paths: tuple[Path, ...]) -> list[dict[str, Any]]:
    """Write the network of ``run`` to files, each in the format that its name ends in; describe how they answer.

    Raises ExportError where a name ends in none, the network cannot be written so or the file not be kept; then nothing
    is written. Raises as ``exported`` does.
    """
    from cnnlab.export.formats.exporting import exported  # noqa: PLC0415 - torch, which other commands do without

    suffixes = [_suffix(path) for path in paths]
    *_, last = exported(run, suffixes)
    if refusal := next((file.refusal for file in last.files if file.refusal), ""):
        raise ExportError(refusal)
    try:
        with ExitStack() as kept:  # all are written before the first gets its name
            for path, file in zip(paths, last.files, strict=True):
                kept.enter_context(atomic_file(path)).write_bytes(file.content)
    except OSError as error:
        names = ", ".join(map(str, paths))
        raise ExportError(f"{names} cannot be written ({error.strerror or error})") from error
    return [
        {"file": str(path), "bytes": len(file.content), **_compared(file)}
        for path, file in zip(paths, last.files, strict=True)
    ]


def _compared(file: Exported) -> dict[str, Any]:
    """Return how a file answers; nothing where this machine cannot open it."""
    if file.row is None:
        return {}
    return {
        "accuracy": file.row.accuracy,
        "alike": file.row.agreed / file.row.images,
        "images": file.row.images,
        "milliseconds": file.row.milliseconds,
    }


def described(told: dict[str, Any]) -> str:
    """Write in one line what ``written`` says of a file."""
    line = f"{told['file']}: {told['bytes'] / 1e6:.2f} MB"
    if "accuracy" not in told:
        return line
    return (
        f"{line}, {told['accuracy']:.2%} of {told['images']:,} test images, {told['alike']:.2%} named as here, "
        f"{told['milliseconds']:.2f} ms an image"
    )


def _suffix(path: Path) -> str:
    """Return the longest suffix of EXPORTS that a file's name ends in."""
    fitting = [suffix for suffix in EXPORTS if path.name.endswith(f".{suffix}")]
    if not fitting:
        ends = ", ".join(f".{suffix}" for suffix in EXPORTS)
        raise ExportError(f"{path.name}: a network leaves as a file that ends in {ends}")
    return max(fitting, key=len)
