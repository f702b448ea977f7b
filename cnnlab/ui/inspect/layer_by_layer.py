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

_FILTERS = "slides its filters over what comes in: each map is one filter's answer at every place"
SAYS = {
    "Resize": "enlarges or shrinks the image to the size that the layers behind it expect",
    "Conv2d": _FILTERS,
    "PaddedConv2d": _FILTERS,
    "BatchNorm1d": "brings each feature to a like mean and spread, then scales and shifts it as learned",
    "BatchNorm2d": "brings each map to a like mean and spread, then scales and shifts it as learned",
    "GroupNorm": "brings each group of maps to a like mean and spread, then scales and shifts each as learned",
    "LayerNorm2d": "brings each place's numbers to a like mean and spread, then scales and shifts each map as learned",
    "LayerScale": "multiplies each map by a factor that it learned",
    "LayerNorm": "brings all numbers to a like mean and spread, then scales and shifts each as learned",
    "ReLU": "cuts away all that is below zero",
    "ReLU6": "cuts away all that is below zero or above six",
    "LeakyReLU": "makes all that is below zero a hundred times smaller",
    "GELU": "cuts away nearly all that is below zero, with a soft bend",
    "SiLU": "cuts away nearly all that is below zero, with a soft bend",
    "Hardswish": "cuts away all that is below minus three, and bends what lies between that and three",
    "ELU": "lets nothing fall below minus one, with a soft bend at zero",
    "Tanh": "squeezes each number between minus one and one",
    "Sigmoid": "squeezes each number between zero and one",
    "Hardsigmoid": "squeezes each number between zero and one, along a straight line",
    "Softmax": "makes positive numbers that add up to one",
    "MaxPool2d": "keeps the largest of each small window: smaller maps, what was found stays",
    "AvgPool2d": "takes the mean of each small window",
    "AdaptiveAvgPool2d": "takes the mean of each map's parts",
    "AdaptiveMaxPool2d": "keeps the largest of each map's parts",
    "Flatten": "lays all maps out in one row of features",
    "Linear": "weighs all features together, once for each output",
    "Dropout": "does nothing outside training",
    "Identity": "passes on the sum of the block's paths as it is",
}


def show(at: Look) -> None:
    """Show all layers from the image to the probabilities, on several pages where they are many."""
    trained = at.trained
    inputs = trained.inputs(at.picked.pixels)
    kinds = {name: type(module).__name__ for name, module in leaves(trained.network).items()}
    st.caption(
        f"Every layer {trained.when}, in order. Of maps the {SHOWN_MAPS} strongest are shown, all of a "
        "layer on one scale: bright or blue is much, red is below zero."
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
        st.caption(f"The way goes on after {literal(shown[-1])}: choose the next page above.")


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
    show_picture(charts.tile_row(tiles), f"passage-{name}", f"What {name} gives", lambda: pd.DataFrame(table))


def _size(numbers: Tensor) -> str:
    return "×".join(str(length) for length in numbers.shape)
