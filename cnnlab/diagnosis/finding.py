"""A finding: the name of a fault, its evidence in a sentence, and the one change that should help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_jsonable_python


@dataclass(frozen=True)
class Change:
    """One change of a config; it is tried from the weights after ``epoch``, or with new weights where that is 0.

    Without fields it is nothing that a training could try, such as labels that somebody must check.
    """

    says: str  # what to do, beginning with a verb
    fields: Mapping[str, Any] = field(default_factory=dict)
    epoch: int = 0

    @property
    def plain(self) -> dict[str, Any]:
        """The fields as JSON can hold them."""
        return {name: to_jsonable_python(value) for name, value in self.fields.items()}


@dataclass(frozen=True)
class Finding:
    """A fault of a training."""

    name: str  # one of RULES
    evidence: str  # one sentence with the figures that show it
    change: Change
