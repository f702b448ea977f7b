"""What each kind of layer does, in a few words."""

from __future__ import annotations

_FILTERS = "slides its filters over the input; each map is one filter's response at every position"
SAYS = {
    "Resize": "enlarges or shrinks the image to the size the next layers expect",
    "Conv2d": _FILTERS,
    "PaddedConv2d": _FILTERS,
    "BatchNorm1d": "gives every feature the same mean and spread, then scales and shifts it by learned numbers",
    "BatchNorm2d": "gives every map the same mean and spread, then scales and shifts it by learned numbers",
    "GroupNorm": (
        "gives every group of maps the same mean and spread, then scales and shifts each map by learned numbers"
    ),
    "LayerNorm2d": "gives every position the same mean and spread, then scales and shifts each map by learned numbers",
    "LayerScale": "multiplies each map by a factor that it learned",
    "LayerNorm": "gives all numbers a common mean and spread, then scales and shifts each by learned numbers",
    "ReLU": "sets everything below zero to zero",
    "ReLU6": "clips everything below zero or above six",
    "LeakyReLU": "makes everything below zero a hundred times smaller",
    "GELU": "removes nearly everything below zero, with a smooth bend",
    "SiLU": "removes nearly everything below zero, with a smooth bend",
    "Hardswish": "sets everything below minus three to zero, with a bend between minus three and three",
    "ELU": "keeps everything above minus one, with a smooth bend at zero",
    "Tanh": "squeezes each number between minus one and one",
    "Sigmoid": "squeezes each number between zero and one",
    "Hardsigmoid": "squeezes each number between zero and one, along a straight line",
    "Softmax": "makes positive numbers that add up to one",
    "MaxPool2d": "keeps the largest number of each small window, so maps get smaller",
    "AvgPool2d": "takes the mean of each small window",
    "AdaptiveAvgPool2d": "takes the mean of each part of a map",
    "AdaptiveMaxPool2d": "keeps the largest number of each part of a map",
    "Flatten": "puts all maps into one row of features",
    "Linear": "computes a weighted sum of all features for each output",
    "Dropout": "does nothing outside training",
    "Identity": "passes on the sum of the block's paths unchanged",
    "ResidualBlock": "adds its input to what its layers make of it",
    "ParallelBlock": "puts the maps of several paths together",
    "SqueezeExciteBlock": "multiplies each map by a factor that it computes from all maps",
    "Sequential": "is several layers in a row",
}
"""A verb and what follows it, by the class of the module."""
