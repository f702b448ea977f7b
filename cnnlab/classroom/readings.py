"""Which of the class's digits each handed-in network reads right: computed once, as neither ever changes."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from hashlib import blake2s
from pathlib import Path

from cnnlab.classroom.digits import Writers, fingerprint
from cnnlab.classroom.folder import class_folder
from cnnlab.classroom.hand_ins import HandIn
from cnnlab.data.handwriting import drawing_images
from cnnlab.data.spec import DatasetSpec
from cnnlab.data.splits import Split
from cnnlab.data.table import DIGITS
from cnnlab.drawings.strokes import LabelledDrawing
from cnnlab.files import atomic_write, read_limited
from cnnlab.jobs.worker import Part
from cnnlab.runs.run import Run
from cnnlab.runs.trained import Trained, load_trained

MAX_BYTES = 1_000_000  # of a file: 10,000 writers

Readings = Mapping[str, Mapping[str, str]]  # by run and writer: "1" or "0" for each digit, whether it was read right


def readings(hand_ins: Sequence[HandIn], writers: Writers, spec: DatasetSpec, runs: Path) -> Generator[Part[Readings]]:
    """Have each network read all writers' digits; what was read before is known, as neither ever changes.

    Raises RunError where a network cannot be loaded.
    """
    kept = {writer: _digest(digits) for writer, digits in writers.items()}
    images = cache(lambda writer: drawing_images(writers[writer], spec))  # the same for all networks
    found: dict[str, dict[str, str]] = {}
    for number, one in enumerate(hand_ins):
        known = _known(runs, one.run)
        new = [writer for writer, digest in kept.items() if digest not in known]
        if new:
            trained = load_trained(Run(runs / one.run))
            known |= {kept[writer]: _read(trained, images(writer)) for writer in new}
            _keep(runs, one.run, known)
        found[one.run] = {writer: known[digest] for writer, digest in kept.items()}
        yield Part((number + 1) / len(hand_ins))
    yield Part(1.0, found)


def _read(trained: Trained, digits: Split) -> str:
    """Return which of a writer's digits a network reads right."""
    return "".join("1" if hit else "0" for hit in trained.answers(digits).hits)


def _digest(digits: Sequence[LabelledDrawing]) -> str:
    return blake2s("".join(map(fingerprint, digits)).encode(), digest_size=8).hexdigest()


def _known(runs: Path, run: str) -> dict[str, str]:
    """Return what is known of a network's readings; a file that is missing or damaged knows nothing."""
    with suppress(OSError, ValueError):
        known = json.loads(read_limited(_path(runs, run), MAX_BYTES))
        if isinstance(known, dict):
            return {digest: hits for digest, hits in known.items() if _is_reading(hits)}
    return {}


def _is_reading(hits: object) -> bool:
    return isinstance(hits, str) and len(hits) == len(DIGITS) and set(hits) <= {"0", "1"}


def _keep(runs: Path, run: str, known: Mapping[str, str]) -> None:
    """Write what is known; where that fails it is computed again."""
    with suppress(OSError):
        path = _path(runs, run)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        atomic_write(path, json.dumps(known))


def _path(runs: Path, run: str) -> Path:
    return class_folder(runs) / "readings" / f"{run}.json"
