from __future__ import annotations

import pytest
import torch

from cnnlab.training.device import machine_kind
from cnnlab.training.machine_kind import MachineKind

HERE = machine_kind(torch.device("cpu"))


def test_this_machine_has_a_kind_that_json_keeps() -> None:
    assert HERE.torch == torch.__version__
    assert (HERE.device, HERE.gpu) == ("cpu", "")
    assert HERE.processor
    assert MachineKind.model_validate_json(HERE.model_dump_json()) == HERE
    assert HERE.unlike(HERE) == ""


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"torch": "1.13"}, f"PyTorch 1.13, here {HERE.torch}"),
        ({"device": "cuda", "gpu": "NVIDIA T4"}, "device cuda, here cpu; GPU NVIDIA T4, here none"),
        ({"units": (*HERE.units, "avx9")}, "instructions avx9, here fewer"),
        ({"units": HERE.units[1:]}, f"instructions fewer, here {HERE.units[0]}"),
        ({"units": (*HERE.units, "a", "b", "c", "d")}, "instructions a b c …, here fewer"),
        ({"torch": "1.13", "units": ()}, f"PyTorch 1.13, here {HERE.torch}"),
    ],
)
def test_what_differs_is_told(fields: dict[str, object], told: str) -> None:
    assert HERE.model_copy(update=fields).unlike(HERE) == told
