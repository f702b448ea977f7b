"""Layer by layer: one image through the whole network, with shapes and feature maps, down to the prediction."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from torch import Tensor

from cnnlab import charts
from cnnlab.analysis.activations import leaves, look
from cnnlab.charts.png import inline
from cnnlab.ui.shell.literal import literal
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.figure import show_figure, show_picture
from cnnlab.ui.widgets.images import enlarged

SHOWN_MAPS = 16  # the strongest ones of each layer
BAR_WIDTH = 64  # pixels of all features together, where there are few

_SAYS = {
    "Conv2d": "slides its filters over what comes in: each map is one filter's answer at every place",
    "BatchNorm2d": "brings each map to a like mean and spread, then scales and shifts it as learned",
    "ReLU": "cuts away all that is below zero",
    "MaxPool2d": "keeps the largest of each small window: smaller maps, what was found stays",
    "AvgPool2d": "takes the mean of each small window",
    "AdaptiveAvgPool2d": "takes the mean of each map's parts",
    "AdaptiveMaxPool2d": "keeps the largest of each map's parts",
    "Flatten": "lays all maps out in one row of features",
    "Linear": "weighs all features together, once for each output",
    "Dropout": "does nothing outside training",
}


def show(at: Look) -> None:
    """Show all layers from the image to the probabilities."""
    trained = at.trained
    inputs = trained.inputs(at.picked.pixels)
    kinds = {name: type(module).__name__ for name, module in leaves(trained.network).items()}
    st.caption(
        f"Every layer after epoch {trained.epoch}, in order. Of maps the {SHOWN_MAPS} strongest are shown, all of a "
        "layer on one scale: bright or blue is much, red is below zero."
    )
    with st.container(border=True):
        st.markdown(f"**The image**, {_size(inputs[0])} numbers, standardised as in training")
        st.image(inline(enlarged(at.picked.pixels[0], side=112)), alt=at.picked.title)
    logits = inputs
    for name, seen in look(trained.network, inputs).items():
        logits = seen.after
        with st.container(border=True):
            kind = kinds[name]
            st.markdown(
                f"**{literal(name)}** ({kind}), {_size(seen.before[0])} → {_size(seen.after[0])}: "
                f"{_SAYS.get(kind, 'bends each number')}"
            )
            if kind not in ("Flatten", "Dropout"):
                _picture(name, seen.after[0])
    probabilities = logits.softmax(1)[0]
    with st.container(border=True):
        st.markdown("**Softmax**: the last layer's logits become probabilities that add up to one")
        show_figure(
            charts.probability_bars(trained.classes, probabilities.tolist()).update_layout(height=300),
            "passage-softmax",
            "Probability of each class",
            lambda: pd.DataFrame(
                {"class": trained.classes, "logit": logits[0].numpy(), "probability": probabilities.numpy()}
            ),
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
