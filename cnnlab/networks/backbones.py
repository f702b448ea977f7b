"""Large networks that were trained on a million photos elsewhere, as layer lists without their last layer.

Each ends in features: a head that a data set needs is put behind them.
"""

from __future__ import annotations

from cnnlab.networks.layers import (
    Activation,
    AdaptivePool2d,
    BatchNorm2d,
    Chain,
    Conv2d,
    Flatten,
    Layer,
    Residual,
)

_RELU6 = Activation(function="relu6")
_TF_NORM = BatchNorm2d(eps=1e-3, momentum=0.01)

# Of EfficientNet-Lite0: filters, kernel, stride of the first block, factor of its widening, blocks.
_LITE0_STAGES = (
    (16, 3, 1, 1, 1),
    (24, 3, 2, 6, 2),
    (40, 5, 2, 6, 2),
    (80, 3, 2, 6, 3),
    (112, 5, 1, 6, 3),
    (192, 5, 2, 6, 4),
    (320, 3, 1, 6, 1),
)


def _tf_conv(channels: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> tuple[Layer, Layer]:
    """Return a convolution padded as TensorFlow pads, and its norm."""
    padding = "same-upper" if kernel > 1 else 0
    convolution = Conv2d(
        out_channels=channels, kernel_size=kernel, stride=stride, padding=padding, groups=groups, bias=False
    )
    return convolution, _TF_NORM


def _inverted(before: int, channels: int, kernel: int, stride: int, widening: int) -> Chain:
    """Widen by a 1×1 convolution, filter each map alone, narrow again (Sandler et al. 2018, arXiv:1801.04381)."""
    wide = before * widening
    widened = (*_tf_conv(wide), _RELU6) if widening > 1 else ()
    return (*widened, *_tf_conv(wide, kernel, stride, groups=wide), _RELU6, *_tf_conv(channels))


def lite0() -> Chain:
    """Return EfficientNet-Lite0's layers from the image to 1,280 features (Tan and Le 2019, arXiv:1905.11946)."""
    layers: list[Layer] = [*_tf_conv(32, kernel=3, stride=2), _RELU6]
    before = 32
    for channels, kernel, stride, widening, blocks in _LITE0_STAGES:
        layers += _inverted(before, channels, kernel, stride, widening)
        again = Residual(body=_inverted(channels, channels, kernel, 1, widening), activation="none")
        layers += [again] * (blocks - 1)
        before = channels
    return (*layers, *_tf_conv(1280), _RELU6, AdaptivePool2d(), Flatten())
