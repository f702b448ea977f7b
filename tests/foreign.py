"""Machines that are not here: dispatch modes that see every operation of torch as another device would."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from threading import Thread
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
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


class Waits:
    """Within it, what makes a program wait until a GPU has done all it was asked before.

    Some of that is seen where Python asks (``tolist`` of a CPU's tensor never reaches torch's dispatcher), some only
    where torch asks itself.
    """

    ASKED = {"item", "tolist", "cpu", "numpy", "__bool__", "__int__", "__float__", "__index__", "__contains__"}
    COPIED = {"tensor", "as_tensor", "from_numpy"}  # from the program's memory
    DISPATCHED = {"_local_scalar_dense", "nonzero", "masked_select", "equal", "bincount", "_unique2", "is_nonzero"}

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def __enter__(self) -> Waits:
        self._modes = ExitStack()
        self._modes.enter_context(_Python(self))
        self._modes.enter_context(_Dispatcher(self))
        return self

    def __exit__(self, *error: object) -> None:
        self._modes.close()


class _Python(TorchFunctionMode):
    def __init__(self, waits: Waits) -> None:
        super().__init__()
        self.waits = waits

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.__name__ in Waits.ASKED | Waits.COPIED:
            self.waits.seen[func.__name__] += 1
        return func(*args, **(kwargs or {}))


class _Dispatcher(TorchDispatchMode):
    def __init__(self, waits: Waits) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.waits = waits

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if name in Waits.DISPATCHED or (name.startswith(("index", "_index")) and _has_mask(args[1:2])):
            self.waits.seen[name] += 1
        return func(*args, **(kwargs or {}))


def _has_mask(indices: Any) -> bool:
    """Whether the size of what they choose is known only once they are."""
    return any(isinstance(leaf, Tensor) and leaf.dtype in (torch.bool, torch.uint8) for leaf in tree_leaves(indices))


def everywhere(mode: TorchDispatchMode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every thread that starts from now on run within ``mode``, which holds for one thread at a time."""
    run = Thread.run

    def within(thread: Thread) -> None:
        with mode:
            run(thread)

    monkeypatch.setattr(Thread, "run", within)
