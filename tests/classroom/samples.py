"""What tests of a class share: an assignment, people, hand-ins with given answers, drawn digits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from cnnlab.classroom.assignment import Assignment
from cnnlab.classroom.hand_ins import HandIn, as_bits
from cnnlab.drawings.example_digits import example_digits
from cnnlab.drawings.strokes import LabelledDrawing
from cnnlab.people.rights import Person
from cnnlab.training.config import RunConfig

ADA, BOB, CYD = (Person("member", letter * 32, name) for letter, name in (("a", "Ada"), ("b", "Bob"), ("c", "Cyd")))
TEACHER = Person("teacher", "d" * 32, "Ms D")
NOW = datetime(2030, 5, 1, 12, tzinfo=UTC)


def assignment(**fields: Any) -> Assignment:
    given = {"id": "a" * 16, "made": NOW, "title": "Digits", "config": RunConfig(), **fields}
    return Assignment.model_validate(given)


def handed(person: Person, hits: Sequence[bool], validation: float = 0.9, minute: int = 0, **fields: Any) -> HandIn:
    """What somebody handed in, with these answers to test images."""
    known = np.array(hits, np.bool_)
    given = {
        "run": f"run-{person.name}-{minute}",
        "source": f"own-{person.name}-{minute}",
        "epoch": 2,
        "person": person.id,
        "at": NOW + timedelta(minutes=minute),
        "validation_accuracy": validation,
        "epochs": 2,
        "parameters": 1000,
        "looks": 1,
        "right": as_bits(known),
        "images": len(known),
    }
    return HandIn.model_validate(given | fields)


def digits(shift: float = 0.0) -> list[LabelledDrawing]:
    """Ten drawn digits, somewhat to the side, so that writers differ."""
    return [
        LabelledDrawing(
            strokes=[[(x + shift, y) for x, y in stroke] for stroke in drawing.strokes], pen=drawing.pen, label=label
        )
        for label, drawing in example_digits().items()
    ]
