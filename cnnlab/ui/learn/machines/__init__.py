"""Chapter: the small machines between convolutions. One is fed at a time."""

from __future__ import annotations

from importlib import import_module

from cnnlab.ui.learn.choice import choose

MACHINES = {  # module beside this one: title
    "pooling": "Pooling",
    "activation": "Activation",
    "batch_norm": "Batch norm",
    "dropout": "Dropout",
    "flatten": "Flatten",
    "softmax": "Softmax and loss",
}


def show() -> None:
    """The machine that is chosen; the address names it."""
    import_module(f"cnnlab.ui.learn.machines.{choose('machine', 'Machine', MACHINES)}").show()
