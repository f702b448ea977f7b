"""Chapter: the small layers between convolutions, one at a time."""

from __future__ import annotations

from cnnlab.ui.learn.choice import choose
from cnnlab.ui.learn.machines import activation, batch_norm, dropout, flatten, pooling, softmax

MACHINES = {  # by their names in the URL: title, function that shows it
    "pooling": ("Pooling", pooling.show),
    "activation": ("Activation", activation.show),
    "batch_norm": ("Batch norm", batch_norm.show),
    "dropout": ("Dropout", dropout.show),
    "flatten": ("Flatten", flatten.show),
    "softmax": ("Softmax and loss", softmax.show),
}


def show() -> None:
    """Show the chosen layer; it is part of the URL."""
    _, draw = MACHINES[choose("machine", "Layer", {name: title for name, (title, _) in MACHINES.items()})]
    draw()
