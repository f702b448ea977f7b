"""The class's own test set: ten digits that everyone draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import blake2s
from pathlib import Path

from cnnlab.classroom.folder import class_folder
from cnnlab.classroom.hand_ins import HandIn
from cnnlab.data.spec import DatasetSpec
from cnnlab.data.table import DIGITS
from cnnlab.drawings.strokes import (
    Drawing,
    DrawingError,
    LabelledDrawing,
    read_labelled_drawings,
    rounded,
    write_labelled_drawings,
)
from cnnlab.files import atomic_file, exclusive, read_limited
from cnnlab.people.identity import is_person

MOST_POINTS = 4_000  # of a drawing: by hand it has some hundred
MAX_BYTES = len(DIGITS) * MOST_POINTS * 25  # of a writer's file

Writers = Mapping[str, Sequence[LabelledDrawing]]  # ten digits each, 0 to 9, by the person's id


def takes_digits(spec: DatasetSpec) -> bool:
    """Check whether networks of a data set read drawn digits."""
    return spec.is_drawn and spec.shape[0] == 1 and spec.classes == DIGITS


def fingerprint(drawing: Drawing) -> str:
    """Return what tells a drawing from others, whatever its label."""
    return blake2s(
        Drawing(strokes=drawing.strokes, pen=drawing.pen).model_dump_json().encode(), digest_size=8
    ).hexdigest()


class ClassDigits:
    """The digits of a class, a file for each writer."""

    def __init__(self, runs: Path) -> None:
        self._folder = class_folder(runs) / "digits"

    def of(self, writer: str) -> dict[str, LabelledDrawing]:
        """Return the digits that somebody has drawn so far, by their labels."""
        if not is_person(writer):
            return {}
        with suppress(OSError, DrawingError):
            drawn = read_labelled_drawings(read_limited(self._path(writer), MAX_BYTES))
            return {one.label: one for one in drawn if one.label in DIGITS}
        return {}

    def put(self, writer: str, drawing: Drawing, label: str) -> None:
        """Store a digit in place of an earlier one. Raises DrawingError where it is none or too long, OSError."""
        if not is_person(writer) or label not in DIGITS or sum(map(len, drawing.strokes)) > MOST_POINTS:
            raise DrawingError("this is no drawn digit of a pupil: clear the canvas and draw it again")
        short = rounded(drawing)
        self.put_back(writer, {label: LabelledDrawing(strokes=short.strokes, pen=short.pen, label=label)})

    def put_back(self, writer: str, digits: Mapping[str, LabelledDrawing]) -> None:
        """Store digits that ``of`` has returned, by their labels, in place of earlier ones. Raises OSError."""
        if not is_person(writer):
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(self._folder):
            drawn = {**self.of(writer), **digits}
            with atomic_file(self._path(writer)) as part:
                part.write_bytes(write_labelled_drawings([drawn[name] for name in sorted(drawn)]))

    def forget(self, writer: str) -> None:
        """Remove somebody's digits. Raises OSError."""
        if is_person(writer):
            self._path(writer).unlink(missing_ok=True)

    def writers(self) -> dict[str, list[LabelledDrawing]]:
        """Return the digits of all who have drawn ten."""
        drawn = {path.stem: self.of(path.stem) for path in sorted(self._folder.glob("*.json"))}
        return {writer: [own[name] for name in DIGITS] for writer, own in drawn.items() if len(own) == len(DIGITS)}

    def _path(self, writer: str) -> Path:
        return self._folder / f"{writer}.json"


def judges_of(hand_in: HandIn, writers: Writers) -> set[str]:
    """Return the writers whose digits may judge a run: not those who taught it with these digits or with others.

    Drawings that taught it are taken for those of the person who handed it in.
    """
    if not hand_in.taught:
        return {*writers}
    taught = {*hand_in.taught}
    strangers = {writer: digits for writer, digits in writers.items() if writer != hand_in.person}
    return {writer for writer, digits in strangers.items() if taught.isdisjoint(map(fingerprint, digits))}
