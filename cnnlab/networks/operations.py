"""Operations on a trained network as records: filters switched off, a layer taken from elsewhere, the weakest off."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

MAX_OPERATIONS = 200  # on one network
MAX_FILTERS = 4096  # of a layer
MAX_TEXT = 1_000_000  # characters
MOST_TOLD = 6  # filters


class Operation(BaseModel):
    """One step: filters of a layer ``off``, ``on`` as they were trained, ``prune`` the weakest, ``swap`` its weights.

    A layer is named as in the built network; filters are the outputs of a convolution or a linear layer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["off", "on", "prune", "swap"]
    layer: Annotated[str, Field(max_length=80)] = ""  # "" of prune: every convolution
    # of off and on; none: the whole layer
    filters: Annotated[tuple[Annotated[int, Field(ge=0, lt=MAX_FILTERS)], ...], Field(max_length=MAX_FILTERS)] = ()
    share: Annotated[float, Field(ge=0, le=1)] = 0.0  # of prune: of a layer's filters
    source: Annotated[str, Field(max_length=110, pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*@[0-9]{1,4})?$")] = (
        ""  # run@epoch
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Operation:
        if not self.layer and self.kind != "prune":
            raise ValueError("name the layer")
        if bool(self.source) != (self.kind == "swap"):
            raise ValueError("source: a layer is swapped with that of a RUN@EPOCH, and no other step has one")
        if self.filters and self.kind not in ("off", "on"):
            raise ValueError("filters: only those that are switched off or on are named")
        if bool(self.share) != (self.kind == "prune"):
            raise ValueError("share: of the filters to prune, above 0; no other step has one")
        return self

    def __str__(self) -> str:
        if self.kind == "swap":
            run, _, epoch = self.source.rpartition("@")
            return f"{self.layer} from epoch {epoch} of {run}"
        if self.kind == "prune":
            return f"weakest {self.share:.0%} of {self.layer or 'each convolution'} off"
        return f"{self.layer} {_numbers(self.filters)} {self.kind}" if self.filters else f"{self.layer} {self.kind}"


def parse_operations(value: object) -> object:
    """Read operations from their JSON; what is no text is returned as it is. Raises ValueError where it is none."""
    if not isinstance(value, str):
        return value
    if len(value) > MAX_TEXT:
        raise ValueError(f"operations take {MAX_TEXT:,} characters at most")
    return OPERATIONS.validate_json(value)


def as_text(operations: Iterable[Operation]) -> str:
    """Write operations as the JSON that ``parse_operations`` reads."""
    return json.dumps([one.model_dump(exclude_defaults=True) for one in operations])


def sources_of(operations: Iterable[Operation]) -> list[str]:
    """List the ids of the runs that layers are swapped with."""
    return [one.source.rpartition("@")[0] for one in operations if one.source]


def _numbers(filters: Iterable[int]) -> str:
    """Write numbers in order, the first few of many: "3, 4, 7 … (31)"."""
    ordered = sorted(filters)
    listed = ", ".join(map(str, ordered[:MOST_TOLD]))
    return listed if len(ordered) <= MOST_TOLD else f"{listed} … ({len(ordered)} filters)"


OPERATIONS = TypeAdapter(tuple[Operation, ...])
