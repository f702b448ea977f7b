"""The kind of machine that a training runs on: on another kind the same steps give other last digits."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

NAMED = 3  # instructions that differ

Name = Annotated[str, Field(max_length=100)]


class MachineKind(BaseModel):
    """What decides how numbers are rounded and in which order they are added, beside precision and threads."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    system: Name  # and its architecture: "Linux x86_64"
    processor: Name  # the instructions of PyTorch's own kernels: "AVX512"
    units: Annotated[tuple[Name, ...], Field(max_length=100)] = ()  # that libraries below PyTorch choose by
    torch: Name
    device: Name
    gpu: Name = ""

    def unlike(self, here: MachineKind) -> str:
        """Say in what this kind differs from that ``here``: "PyTorch 2.8.0, here 2.9.1"; empty where it does not."""
        pairs = {
            "": (self.system, here.system),
            "processor with ": (self.processor, here.processor),
            "PyTorch ": (self.torch, here.torch),
            "device ": (self.device, here.device),
            "GPU ": (self.gpu or "none", here.gpu or "none"),
        }
        differing = [f"{what}{there}, here {own}" for what, (there, own) in pairs.items() if there != own]
        if not differing and self != here:
            differing = [f"instructions {_without(self.units, here.units)}, here {_without(here.units, self.units)}"]
        return "; ".join(differing)


def _without(units: tuple[str, ...], others: tuple[str, ...]) -> str:
    """Name the units that the others lack."""
    found = [unit for unit in units if unit not in others]
    return " ".join(found[:NAMED]) + " …" * (len(found) > NAMED) or "fewer"
