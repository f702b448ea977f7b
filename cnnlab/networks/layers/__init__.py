"""Layers as validated data that knows its own shapes and costs.

A layer has no sizes that follow from its input: input channels and features are inferred. Shapes leave out the batch:
``(channels, height, width)`` or ``(features,)``.
A new kind is a class in one of these modules and an entry in ``registry.KINDS``.
"""

from cnnlab.networks.layers.base import (
    BaseLayer,
    Call,
    Function,
    Initialisation,
    LayerError,
    Shape,
    Window,
    pair,
    shown,
)
from cnnlab.networks.layers.blocks import DepthwiseSeparable, Parallel, Residual, SqueezeExcite
from cnnlab.networks.layers.chains import MAX_NESTED, MAX_WITHIN, Block, Chain, trace
from cnnlab.networks.layers.convolution import Conv2d
from cnnlab.networks.layers.norms import BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm
from cnnlab.networks.layers.plain import MODULES, Activation, Dropout, Flatten, LayerScale, Linear, Softmax
from cnnlab.networks.layers.pooling import AdaptivePool2d, AvgPool2d, MaxPool2d
from cnnlab.networks.layers.registry import KINDS, Layer
from cnnlab.networks.layers.resizing import Resize

__all__ = [
    "KINDS",
    "MAX_NESTED",
    "MAX_WITHIN",
    "MODULES",
    "Activation",
    "AdaptivePool2d",
    "AvgPool2d",
    "BaseLayer",
    "BatchNorm1d",
    "BatchNorm2d",
    "Block",
    "Call",
    "Chain",
    "Conv2d",
    "DepthwiseSeparable",
    "Dropout",
    "Flatten",
    "Function",
    "GroupNorm",
    "Initialisation",
    "Layer",
    "LayerError",
    "LayerNorm",
    "LayerScale",
    "Linear",
    "MaxPool2d",
    "Parallel",
    "Residual",
    "Resize",
    "Shape",
    "Softmax",
    "SqueezeExcite",
    "Window",
    "pair",
    "shown",
    "trace",
]
