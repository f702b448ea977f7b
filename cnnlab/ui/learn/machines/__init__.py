"""Chapter: the small machines between convolutions. One is fed at a time."""

from __future__ import annotations

from cnnlab.ui.learn.choice import choose
from cnnlab.ui.learn.machines import activation, batch_norm, dropout, flatten, pooling, softmax

MACHINES = {  # by their names in the address: title, what draws it
    "pooling": ("Pooling", pooling.show),
    "activation": ("Activation", activation.show),
    "batch_norm": ("Batch norm", batch_norm.show),
    "dropout": ("Dropout", dropout.show),
    "flatten": ("Flatten", flatten.show),
    "softmax": ("Softmax and loss", softmax.show),
}


def show() -> None:
    """The machine that is chosen; the address names it."""
    _, draw = MACHINES[choose("machine", "Machine", {name: title for name, (title, _) in MACHINES.items()})]
    draw()
