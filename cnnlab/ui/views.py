"""The views of Inside: each draws one look into a trained network. Add one to VIEWS and the page has it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from cnnlab import charts
from cnnlab.explain import conv_layers, feature_maps, filters
from cnnlab.inference import Trained, load_trained, test_split
from cnnlab.runs import Run
from cnnlab.ui.pictures import enlarged, pick_image


def inside(run: Run) -> None:
    """The epoch's slider and the chosen view."""
    epochs = run.epochs()
    left, right = st.columns(2, gap="large")
    with left:
        view = st.segmented_control(
            "View", list(VIEWS), default="Filters", required=True, key="inside.view", persist_state="session"
        )
    with right:
        epoch = epochs[-1]
        if len(epochs) > 1:
            epoch = st.select_slider("Epoch (0 is before training)", epochs, epochs[-1], key=f"inside.epoch.{run.id}")
    VIEWS[view or "Filters"](run, load_trained(run, epoch))


def _show_filters(run: Run, trained: Trained) -> None:
    layers = list(conv_layers(trained.network))
    if not layers:
        st.info("This network has no convolution, so there are no filters to show.")
        return
    layer = st.selectbox("Convolution", layers, key=f"inside.conv.{run.id}")
    weights = filters(trained.network, layer).numpy()  # (out, in / groups, height, width)
    count, inputs, height, width = weights.shape
    channel = st.slider("Input channel", 1, inputs, key=f"inside.channel.{run.id}.{layer}") if inputs > 1 else 1
    st.plotly_chart(charts.filter_grid(weights[:, channel - 1]), key="filters", alt=f"Filters of {layer}")
    st.caption(
        f"{count} filters of {height}×{width} weights after epoch {trained.epoch}, as they look at input channel "
        f"{channel} of {inputs}. Blue weights answer to bright pixels, red ones to dark, white ones ignore them. "
        "All tiles share one scale with zero in its middle."
    )


def _show_feature_maps(run: Run, trained: Trained) -> None:
    split = test_split(run)
    picker, picture = st.columns([2, 1], gap="large")
    with picker:
        image = split.images[[pick_image(run, split, "inside.image")]]  # (1, C, H, W)
        maps = feature_maps(trained.network, trained.inputs(image))
        layer = st.selectbox("Layer", list(maps), key=f"inside.layer.{run.id}")
        probabilities = trained.probabilities(image)[0]
        best = int(probabilities.argmax())
        st.markdown(f"The network says **{trained.classes[best]}** with {probabilities[best]:.1%}.")
    with picture:
        st.image(enlarged(image[0]), caption="Test image", alt="The chosen test image")
    found = maps[layer][0]  # (C, H, W)
    st.plotly_chart(charts.feature_map_grid(found.numpy()), key="maps", alt=f"Feature maps of {layer}")
    st.caption(
        f"What {layer} gives for this image: {found.shape[0]} feature maps of {found.shape[1]}×{found.shape[2]}. "
        "Bright is a strong answer of that filter at that place. All maps share one scale."
    )


VIEWS: dict[str, Callable[[Run, Trained], None]] = {"Filters": _show_filters, "Feature maps": _show_feature_maps}
