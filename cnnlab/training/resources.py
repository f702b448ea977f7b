"""What a training takes of its machine, second by second: samples → JSON lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

MOST = 14_400  # samples of a run, four hours at first: beyond, every second one goes
MB = 1_000_000  # bytes

Amount = Annotated[FiniteFloat, Field(ge=0, le=1e12)]


class Sample(BaseModel):
    """What the process that trains takes, its other trainings included; the GPU's figures are of all its processes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    seconds: Amount  # of training since the run's start, pauses left out
    core_percent: Amount  # of one core, since the sample before
    machine_percent: Amount  # of all cores
    memory_mb: Amount  # resident
    gpu_percent: Amount | None = None
    gpu_memory_mb: Amount | None = None
    gpu_joules: Amount | None = None  # since the run's start, by the GPU's own counter


def to_line(sample: Sample) -> str:
    """Return a sample as JSON, without the end of the line."""
    return sample.model_dump_json(exclude_none=True)


def from_lines(lines: Iterable[str]) -> list[Sample]:
    """Read JSON lines up to the first that is torn or foreign, MOST at the most."""
    samples: list[Sample] = []
    for line in lines:
        try:
            samples.append(Sample.model_validate_json(line))
        except ValidationError:
            break
        if len(samples) == MOST:
            break
    return samples


def joules(samples: Iterable[Sample]) -> float | None:
    """Return the energy that the GPU took; None where it has no counter."""
    known = [sample.gpu_joules for sample in samples if sample.gpu_joules is not None]
    return known[-1] if known else None
