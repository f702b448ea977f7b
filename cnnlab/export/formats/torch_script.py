"""A Python file that needs PyTorch alone."""

from __future__ import annotations

from io import BytesIO

import torch

from cnnlab.export.formats.script import opened, script
from cnnlab.export.portable import Portable
from cnnlab.networks.source import class_name, imports_of, network_source

__all__ = ["opened", "write"]

_ANSWERING = '''
# The network


{network}

@cache
def _network() -> nn.Module:
    network = {name}()
    network.load_state_dict(torch.load(BytesIO(_unpacked(WEIGHTS)), weights_only=True))
    return network.eval()


@torch.inference_mode()
def probabilities(pixels: bytes) -> list[list[float]]:
    """Answer images one after another, CHANNELS × HEIGHT × WIDTH bytes each: a probability for each class."""
    images = torch.frombuffer(bytearray(pixels), dtype=torch.uint8).view(-1, CHANNELS, HEIGHT, WIDTH)
    scale = 1 / torch.tensor({std}).view(-1, 1, 1)
    offset = -torch.tensor({mean}).view(-1, 1, 1) * scale
    logits = _network()(images.float() / 255 * scale + offset)
    return logits.softmax(1).tolist()
'''


def write(portable: Portable) -> bytes:
    """Write the network's source, its weights and all that prepares a picture."""
    trained = portable.trained
    weights = BytesIO()
    torch.save(trained.network.state_dict(), weights)
    source = network_source(portable.architecture, trained.shape, len(trained.classes))
    mean, std = trained.standardise.scale
    return script(
        portable,
        package="torch",
        imports=["from functools import cache", "import torch", "from torch import Tensor, nn", *imports_of(source)],
        answering=_ANSWERING.format(
            network=source, name=class_name(portable.architecture.title), mean=list(mean), std=list(std)
        ),
        packed={"WEIGHTS": weights.getvalue()},
        tolerance=1e-4,
    )
