"""Layer by layer: one image through the whole network, with shapes and feature maps, down to the prediction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st
from torch import Tensor

from cnnlab import charts
from cnnlab.analysis.activations import Seen, leaves, look
from cnnlab.charts.png import inline
from cnnlab.ui.shell.literal import literal
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.figure import paged, show_figure, show_picture
from cnnlab.ui.widgets.images import enlarged

SHOWN_MAPS = 16  # the strongest ones of each layer
LAYERS_AT_ONCE = 36  # on a page
BAR_WIDTH = 64  # pixels of all features together, where there are few

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
}


def show(at: Look) -> None:
    """Show all layers from the image to the probabilities, on several pages where they are many."""
    trained = at.trained
    inputs = trained.inputs(at.picked.pixels)
    kinds = {name: type(module).__name__ for name, module in leaves(trained.network).items()}
    st.caption(
        f"Every layer {trained.when}, in order, with its {SHOWN_MAPS} strongest maps. All maps of a layer share one "
        "colour scale. Bright or blue is high, red is below zero."
    )
    seen = look(trained.network, inputs)
    names = list(seen)
    shown = names[paged(len(names), LAYERS_AT_ONCE, f"inside.passage.{at.run.id}")]
    if shown[0] == names[0]:
        with st.container(border=True):
            st.markdown(f"**The image**, {_size(inputs[0])} numbers, standardised as in training")
            st.image(inline(enlarged(at.picked.pixels[0], side=112)), alt=at.picked.title)
    for name in shown:
        _layer(name, kinds[name], seen[name])
    if shown[-1] == names[-1]:
        _probabilities(trained.classes, seen[names[-1]].after[0])
    else:
        st.caption(f"More layers follow after {literal(shown[-1])}: choose the next page above.")


def _layer(name: str, kind: str, seen: Seen) -> None:
    with st.container(border=True):
        st.markdown(f"**{literal(name)}** ({kind}), {_size(seen.before[0])} → {_size(seen.after[0])}: {SAYS[kind]}")
        if kind not in ("Flatten", "Dropout"):
            _picture(name, seen.after[0])


def _probabilities(classes: Sequence[str], logits: Tensor) -> None:
    probabilities = logits.softmax(0)
    with st.container(border=True):
        st.markdown("**Softmax**: the last layer's logits become probabilities that add up to one")
        show_figure(
            charts.probability_bars(classes, probabilities.tolist()).update_layout(height=300),
            "passage-softmax",
            "Probability of each class",
            lambda: pd.DataFrame({"class": classes, "logit": logits.numpy(), "probability": probabilities.numpy()}),
        )


def _picture(name: str, output: Tensor) -> None:
    if output.dim() == 3:
        strongest = output.abs().mean((1, 2)).argsort(descending=True)[:SHOWN_MAPS].sort().values
        tiles = output[strongest].numpy()
        table = {"map": strongest.numpy(), "mean": tiles.mean((1, 2))}
    else:
        width = max(1, BAR_WIDTH // len(output))
        tiles = output[:, None, None].expand(-1, 8, width).numpy()  # vertical bars
        table = {"unit": np.arange(len(output)), "value": output.numpy()}
    show_picture(charts.tile_row(tiles), f"passage-{name}", f"Output of {name}", lambda: pd.DataFrame(table))


def _size(numbers: Tensor) -> str:
    return "×".join(str(length) for length in numbers.shape)
