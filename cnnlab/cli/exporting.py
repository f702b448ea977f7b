"""A run's network as files for other places."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnlab.export.formats.table import EXPORTS
from cnnlab.export.portable import ExportError
from cnnlab.files import atomic_file
from cnnlab.runs.run import Run

if TYPE_CHECKING:
    from cnnlab.export.formats.exporting import Row


Answers = dict[str, Any]  # as JSON has it


def written(run: Run, paths: tuple[Path, ...], say: Callable[[str], None]) -> tuple[Answers, list[Answers]]:
    """Write the network of ``run`` to files, each in the format that its name ends in; describe how it and they answer.

    ``say`` gets a line for each step.

    Raises ExportError where a name ends in none, the network cannot be written so or the file not be kept; then nothing
    is written. Raises as ``exported`` does.
    """
    from cnnlab.export.formats.exporting import exported  # noqa: PLC0415 - torch, which other commands do without

    suffixes = [_suffix(path) for path in paths]
    with ExitStack() as kept:  # all are written before the first gets its name
        asides = [kept.enter_context(written_aside(path)) for path in paths]
        for last in exported(run, suffixes):
            if last.stage:
                say(f"{last.done:4.0%} {last.stage}")
        if refusal := next((file.refusal for file in last.files if file.refusal), ""):
            raise ExportError(refusal)
        for aside, file in zip(asides, last.files, strict=True):
            aside.write_bytes(file.content)
    assert last.here
    told = [
        {"file": str(path), "bytes": len(file.content), **_compared(file.row)}
        for path, file in zip(paths, last.files, strict=True)
    ]
    return {"bytes": last.here.bytes, **_compared(last.here)}, told


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Open a file as ``atomic_file`` does, and at once: where it cannot be written, nothing is computed for it."""
    try:
        with atomic_file(path) as aside:
            aside.touch()
            yield aside
    except OSError as error:
        raise ExportError(f"{path} cannot be written ({error.strerror or error})") from error


def _compared(row: Row | None) -> Answers:
    """Return how a file answers; nothing where this machine cannot open it."""
    if row is None:
        return {}
    return {
        "accuracy": row.accuracy,
        "interval": row.interval,
        "alike": row.agreed / row.images,
        "images": row.images,
        "milliseconds": row.milliseconds,
    }


def described(told: Answers) -> str:
    """Write in one line what ``written`` says of the network or a file."""
    line = f"{told.get('file', 'the network here')}: {told['bytes'] / 1e3:,.0f} kB"
    if "accuracy" not in told:
        return line
    low, high = told["interval"]
    return (
        f"{line}, {told['accuracy']:.1%} ({low:.1%} to {high:.1%}) of {told['images']:,} test images, "
        f"{told['alike']:.1%} with the same answer, {told['milliseconds']:.2f} ms an image"
    )


def _suffix(path: Path) -> str:
    """Return the longest suffix of EXPORTS that a file's name ends in."""
    fitting = [suffix for suffix in EXPORTS if path.name.lower().endswith(f".{suffix}")]
    if not fitting:
        ends = ", ".join(f".{suffix}" for suffix in EXPORTS)
        raise ExportError(f"{path.name}: the name of a network's file ends in one of {ends}")
    return max(fitting, key=len)
