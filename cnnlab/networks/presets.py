"""Networks that come with the app: our own, the five tutorials', and classics in small."""

from __future__ import annotations

from cnnlab.networks.architecture import Architecture
from cnnlab.networks.layers import (
    Activation,
    AdaptivePool2d,
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Layer,
    Linear,
    MaxPool2d,
    Residual,
)

_LOGITS = Linear(out_features="classes")
_RELU = Activation()
_POOL = MaxPool2d()


def _conv_norm(channels: int, stride: int = 1) -> list[Layer]:
    return [Conv2d(out_channels=channels, padding=1, stride=stride, bias=False), BatchNorm2d()]


def _conv_pool_norm(channels: int) -> list[Layer]:
    """Pooled before norm and ReLU, which gives much the same features for a quarter of their work."""
    convolution, norm = _conv_norm(channels)
    return [convolution, _POOL, norm, _RELU]


def _stem(channels: int) -> list[Layer]:
    return [Conv2d(out_channels=channels, kernel_size=5, stride=2, padding=2, bias=False), BatchNorm2d(), _RELU]


def _pair(channels: int) -> list[Layer]:
    return [*_conv_norm(channels), _RELU, *_conv_pool_norm(channels)]


def _residual(channels: int, stride: int = 1) -> Residual:
    return Residual(body=(*_conv_norm(channels, stride), _RELU, *_conv_norm(channels)))


_PRESETS = [
    Architecture(
        name="compact",
        title="Compact batch-norm net",
        description="A 5×5 stem of stride 2, then pairs of 3×3 convolutions with batch norm: five times Lean's work.",
        layers=(*_stem(32), *_pair(64), *_pair(96), Flatten(), _LOGITS),
    ),
    Architecture(
        name="lean",
        title="Lean net",
        description="The default: a 5×5 stem of stride 2, a 3×3 convolution, then a pair of them on maps of 7×7.",
        layers=(*_stem(16), *_conv_pool_norm(32), *_pair(64), Flatten(), _LOGITS),
    ),
    Architecture(
        name="quick",
        title="Quick net",
        description="For the shortest training: a 5×5 stem of stride 2, then 32 and 64 filters.",
        layers=(*_stem(16), *_conv_pool_norm(32), *_conv_pool_norm(64), Flatten(), _LOGITS),
    ),
    Architecture(
        name="accurate",
        title="Accurate net",
        description="For the highest accuracy: 3×3 convolutions with batch norm throughout, the image at full size.",
        layers=(*_conv_pool_norm(24), *_pair(48), *_pair(96), Flatten(), _LOGITS),
    ),
    Architecture(
        name="colour",
        title="Colour net",
        description="For small colour photos: 3×3 convolutions of 32 to 256 filters with batch norm, then their mean.",
        layers=(
            *_conv_pool_norm(32),
            *_pair(64),
            *_pair(128),
            *_conv_norm(256),
            _RELU,
            AdaptivePool2d(),
            Flatten(),
            _LOGITS,
        ),
    ),
    Architecture(
        name="basic-cnn",
        title="Basic CNN",
        description="Tutorial: two 3×3 convolutions of 8 and 16 filters and one linear layer.",
        layers=(
            *(layer for width in (8, 16) for layer in (Conv2d(out_channels=width, padding=1), _RELU, _POOL)),
            Flatten(),
            _LOGITS,
        ),
    ),
    Architecture(
        name="classification-snippet",
        title="Image-classification snippet",
        description="Tutorial: as the basic CNN with 16 and 32 filters.",
        layers=(
            *(layer for width in (16, 32) for layer in (Conv2d(out_channels=width, padding=1), _RELU, _POOL)),
            Flatten(),
            _LOGITS,
        ),
    ),
    Architecture(
        name="seven-step-mnist",
        title="Seven-step MNIST",
        description="Tutorial: LeNet-like, 5×5 convolutions of 20 and 50 filters, 500 hidden units, dropout.",
        layers=(
            *(layer for width in (20, 50) for layer in (Conv2d(out_channels=width, kernel_size=5), _RELU, _POOL)),
            Flatten(),
            Linear(out_features=500),
            _RELU,
            Dropout(p=0.5),
            _LOGITS,
        ),
    ),
    Architecture(
        name="fashion-part-3",
        title="Fashion-MNIST, part 3",
        description="Tutorial: pairs of 3×3 and of 5×5 convolutions, then 256 and 128 hidden units.",
        layers=(
            *(
                layer
                for width, kernel in ((16, 3), (32, 5))
                for layer in (*(Conv2d(out_channels=width, kernel_size=kernel), _RELU) * 2, _POOL)
            ),
            Flatten(),
            Linear(out_features=256),
            _RELU,
            Linear(out_features=128),
            _RELU,
            _LOGITS,
        ),
    ),
    Architecture(
        name="conv2d-tour",
        title="Conv2d tour",
        description="Tutorial: 32, 64 and 128 filters, the third pool padded, 625 hidden units, Xavier linears.",
        layers=(
            *(
                layer
                for width, padding in ((32, 0), (64, 0), (128, 1))
                for layer in (Conv2d(out_channels=width, padding=1), _RELU, MaxPool2d(padding=padding))
            ),
            Flatten(),
            Linear(out_features=625, init="xavier-uniform"),
            _RELU,
            Linear(out_features="classes", init="xavier-uniform"),
        ),
    ),
    Architecture(
        name="lenet-5",
        title="LeNet-5",
        description="LeCun et al. 1998: tanh and average pools, 61,706 parameters on 28×28 digits.",
        layers=(
            Conv2d(out_channels=6, kernel_size=5, padding=2),
            Activation(function="tanh"),
            AvgPool2d(),
            Conv2d(out_channels=16, kernel_size=5),
            Activation(function="tanh"),
            AvgPool2d(),
            Flatten(),
            Linear(out_features=120),
            Activation(function="tanh"),
            Linear(out_features=84),
            Activation(function="tanh"),
            _LOGITS,
        ),
    ),
    Architecture(
        name="small-vgg",
        title="Small VGG",
        description="Simonyan and Zisserman 2014 in small: pairs of 3×3 convolutions, then a pool, three times.",
        layers=(
            *(layer for width in (32, 64, 128) for layer in (*(*_conv_norm(width), _RELU) * 2, _POOL)),
            Flatten(),
            Dropout(p=0.5),
            Linear(out_features=128),
            _RELU,
            _LOGITS,
        ),
    ),
    Architecture(
        name="small-resnet",
        title="Small ResNet",
        description="He et al. 2015 in small: a stem and three stages of two residual blocks, global average pool.",
        layers=(
            *_conv_norm(16),
            _RELU,
            _residual(16),
            _residual(16),
            _residual(32, stride=2),
            _residual(32),
            _residual(64, stride=2),
            _residual(64),
            AdaptivePool2d(),
            Flatten(),
            _LOGITS,
        ),
    ),
]
PRESETS: dict[str, Architecture] = {preset.name: preset for preset in _PRESETS}
