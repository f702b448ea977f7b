"""Makes gate.safetensors: a network that tells digits from what is no digit, for Draw to doubt the latter.

It learns from the embedded sample and as many pieces of junk (outlier exposure, Hendrycks et al. 2019,
arXiv:1812.04606), in a minute or two: python -m cnnlab.analysis.make_gate
"""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from cnnlab.analysis.ood import GATE, GATE_CLASSES, gate_network
from cnnlab.data.loading import Data, load
from cnnlab.data.splits import Split
from cnnlab.drawings.non_digits import sample_non_digit
from cnnlab.drawings.preprocess import prepare
from cnnlab.drawings.strokes import CANVAS
from cnnlab.training.config import RunConfig
from cnnlab.training.loop import fit

JUNK = {"train": 12_000, "validation": 500}
EPOCHS = 15


def main() -> None:
    """Train the gate, print each epoch, write the file beside this script."""
    draws = random.Random(0)
    data = load("mnist-sample")
    mixed = Data(
        spec=replace(data.spec, name="digits-and-junk", classes=GATE_CLASSES),
        train=_with_junk(data.train, JUNK["train"], draws),
        validation=_with_junk(data.validation, JUNK["validation"], draws),
        test=data.test,
    )
    network = gate_network()
    for event in fit(network, mixed, RunConfig(epochs=EPOCHS, precision="auto")):
        if event.kind == "epoch":
            told = ", ".join(f"{accuracy:.1%}" for accuracy in (event.validation_accuracy, event.per_class[-1]))
            print(f"epoch {event.epoch}: validation accuracy, of junk: {told}")
    save_file({name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}, GATE)
    print(f"{GATE.name}: {GATE.stat().st_size / 1e6:.2f} MB")


def _with_junk(split: Split, count: int, draws: random.Random) -> Split:
    """Render every second digit as if drawn on the canvas, and as many non-digits, prepared alike."""
    images = split.images.clone()
    images[::2] = torch.cat([_redrawn(image) for image in images[::2]])
    pieces = torch.cat([prepare(sample_non_digit(draws)) for _ in range(count)])
    labels = torch.full((count,), len(GATE_CLASSES) - 1)
    return Split(torch.cat([images, pieces]), torch.cat([split.labels, labels]))


def _redrawn(image: Tensor) -> Tensor:
    """Resize (1, 28, 28) to the canvas's size and prepare it: (1, 1, 28, 28)."""
    large = Image.fromarray(image[0].numpy()).resize((CANVAS, CANVAS), Image.Resampling.BICUBIC)
    return prepare(np.asarray(large))


if __name__ == "__main__":
    main()
