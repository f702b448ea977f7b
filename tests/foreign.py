"""Machines that are not here: dispatch modes that see every operation of torch as another device would."""

from __future__ import annotations

from collections import Counter
from threading import Thread
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

MISSING_ON_MPS = (torch.float64, torch.complex128)


class AppleGpu(TorchDispatchMode):
    """Refuses the numbers that MPS has not, with MPS's own words, and keeps the operations that asked for them."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.refused: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves((args, kwargs, result)):
            if isinstance(leaf, Tensor) and leaf.dtype in MISSING_ON_MPS:
                self.refused.append(str(func))
                raise TypeError(f"{func}: Cannot convert a MPS Tensor to {leaf.dtype} dtype as MPS doesn't support it")
        return result


class Waits(TorchDispatchMode):
    """Counts the operations for which a program waits until the device has done all it was asked before."""

    KINDS = ("_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal", "unique", "bincount")

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        by_mask = name.startswith(("index", "_index_put")) and any(
            isinstance(leaf, Tensor) and leaf.dtype == torch.bool for leaf in tree_leaves(args[1:2])
        )
        if by_mask or name in self.KINDS:
            self.counts[name] += 1
        return func(*args, **(kwargs or {}))


def everywhere(mode: TorchDispatchMode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every thread that starts from now on run within ``mode``, which holds for one thread at a time."""
    run = Thread.run

    def within(thread: Thread) -> None:
        with mode:
            run(thread)

    monkeypatch.setattr(Thread, "run", within)
