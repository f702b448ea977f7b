"""Large networks that were trained on a million photos elsewhere, as layer lists without their last layer.

Each ends in features: a head that a data set needs is put behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from cnnlab.networks.layers import (
    Activation,
    AdaptivePool2d,
    BatchNorm2d,
    Chain,
    Conv2d,
    Flatten,
    Layer,
    LayerNorm,
    LayerScale,
    Linear,
    MaxPool2d,
    Residual,
    SqueezeExcite,
)
from cnnlab.networks.layers.base import Padding

_RELU, _RELU6 = Activation(), Activation(function="relu6")
_GELU, _HARD_SWISH = Activation(function="gelu"), Activation(function="hard-swish")
_NORM, _TF_NORM = BatchNorm2d(), BatchNorm2d(eps=1e-3, momentum=0.01)
_POSITION_NORM = LayerNorm(per_position=True, eps=1e-6)
_MEANS = (AdaptivePool2d(), Flatten())

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
# Of MobileNetV3-Small's blocks: filters, kernel, stride, channels in between, those within the gate, activation.
_MOBILE_BLOCKS = (
    (16, 3, 2, 16, 8, _RELU),
    (24, 3, 2, 72, 0, _RELU),
    (24, 3, 1, 88, 0, _RELU),
    (40, 5, 2, 96, 24, _HARD_SWISH),
    (40, 5, 1, 240, 64, _HARD_SWISH),
    (40, 5, 1, 240, 64, _HARD_SWISH),
    (48, 5, 1, 120, 32, _HARD_SWISH),
    (48, 5, 1, 144, 40, _HARD_SWISH),
    (96, 5, 2, 288, 72, _HARD_SWISH),
    (96, 5, 1, 576, 144, _HARD_SWISH),
    (96, 5, 1, 576, 144, _HARD_SWISH),
)
# Of ConvNeXt-Tiny: filters, blocks.
_CONVNEXT_STAGES = ((96, 3), (192, 3), (384, 9), (768, 3))


def _conv(
    channels: int,
    kernel: int = 1,
    stride: int = 1,
    groups: int = 1,
    norm: BatchNorm2d = _NORM,
    padding: Padding | None = None,
) -> Chain:
    """Return a convolution, padded by half its kernel unless ``padding`` says how, and its norm."""
    convolution = Conv2d(
        out_channels=channels,
        kernel_size=kernel,
        stride=stride,
        padding=padding if padding and kernel > 1 else kernel // 2,
        groups=groups,
        bias=False,
    )
    return convolution, norm


_mobile_conv = partial(_conv, norm=_TF_NORM)
_tf_conv = partial(_conv, norm=_TF_NORM, padding="same-upper")


def _inverted(
    conv: Callable[..., Chain],
    before: int,
    channels: int,
    kernel: int,
    stride: int,
    wide: int,
    function: Activation,
    gate: Chain = (),
) -> Chain:
    """Widen by a 1×1 convolution, filter each map alone, narrow again (Sandler et al. 2018, arXiv:1801.04381)."""
    widened = (*conv(wide), function) if wide != before else ()
    return (*widened, *conv(wide, kernel, stride, groups=wide), function, *gate, *conv(channels))


def _linear_residual(body: Chain) -> Residual:
    return Residual(body=body, activation="none")


def lite0() -> Chain:
    """Return EfficientNet-Lite0's layers from the image to 1,280 features (Tan and Le 2019, arXiv:1905.11946)."""
    layers: list[Layer] = [*_tf_conv(32, kernel=3, stride=2), _RELU6]
    before = 32
    for channels, kernel, stride, widening, blocks in _LITE0_STAGES:
        layers += _inverted(_tf_conv, before, channels, kernel, stride, before * widening, _RELU6)
        again = _inverted(_tf_conv, channels, channels, kernel, 1, channels * widening, _RELU6)
        layers += [_linear_residual(again)] * (blocks - 1)
        before = channels
    return (*layers, *_tf_conv(1280), _RELU6, *_MEANS)


def mobilenet_v3_small() -> Chain:
    """Return MobileNetV3-Small's layers from the image to 1,024 features (Howard et al. 2019, arXiv:1905.02244)."""
    layers: list[Layer] = [*_mobile_conv(16, kernel=3, stride=2), _HARD_SWISH]
    before = 16
    for channels, kernel, stride, wide, squeezed, function in _MOBILE_BLOCKS:
        gate = (SqueezeExcite(squeezed=squeezed, gate="hard-sigmoid"),) if squeezed else ()
        block = _inverted(_mobile_conv, before, channels, kernel, stride, wide, function, gate)
        layers += [_linear_residual(block)] if (stride, channels) == (1, before) else block
        before = channels
    return (*layers, *_mobile_conv(576), _HARD_SWISH, *_MEANS, Linear(out_features=1024), _HARD_SWISH)


def _basic(channels: int, stride: int) -> Residual:
    return Residual(body=(*_conv(channels, 3, stride), _RELU, *_conv(channels, 3)))


def _bottleneck(channels: int, stride: int) -> Residual:
    """Return the block of the deeper ResNets; its 3×3 convolution strides, not the first one as in the paper."""
    return Residual(body=(*_conv(channels), _RELU, *_conv(channels, 3, stride), _RELU, *_conv(4 * channels)))


def _resnet(block: Callable[[int, int], Residual], blocks: Sequence[int]) -> Chain:
    """Return a ResNet's layers from the image to the features, of four stages with so many ``blocks``."""
    layers: list[Layer] = [*_conv(64, kernel=7, stride=2), _RELU, MaxPool2d(kernel_size=3, stride=2, padding=1)]
    for number, repeats in enumerate(blocks):
        channels = 64 * 2**number
        layers += [block(channels, 2 if number else 1), *[block(channels, 1)] * (repeats - 1)]
    return (*layers, *_MEANS)


def resnet18() -> Chain:
    """Return ResNet-18's layers from the image to 512 features (He et al. 2015, arXiv:1512.03385)."""
    return _resnet(_basic, (2, 2, 2, 2))


def resnet50() -> Chain:
    """Return ResNet-50's layers from the image to 2,048 features (He et al. 2015, arXiv:1512.03385)."""
    return _resnet(_bottleneck, (3, 4, 6, 3))


def _convnext_block(channels: int) -> Residual:
    widened = (Conv2d(out_channels=4 * channels, kernel_size=1), _GELU, Conv2d(out_channels=channels, kernel_size=1))
    depthwise = Conv2d(out_channels=channels, kernel_size=7, padding=3, groups=channels)
    return _linear_residual((depthwise, _POSITION_NORM, *widened, LayerScale(initial=1e-6)))


def convnext_tiny() -> Chain:
    """Return ConvNeXt-Tiny's layers from the image to 768 features (Liu et al. 2022, arXiv:2201.03545).

    The blocks that its training skips at random are always there, as they are when it answers.
    """
    layers: list[Layer] = []
    for channels, blocks in _CONVNEXT_STAGES:
        if layers:
            layers += [_POSITION_NORM, Conv2d(out_channels=channels, kernel_size=2, stride=2)]
        else:
            layers += [Conv2d(out_channels=channels, kernel_size=4, stride=4), _POSITION_NORM]
        layers += [_convnext_block(channels)] * blocks
    return (*layers, *_MEANS, _POSITION_NORM)
