"""Chapter: convolution as a filter that slides over an image."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from cnnlab.charts.edges import coloured
from cnnlab.charts.png import inline
from cnnlab.learn.convolution import work
from cnnlab.learn.filters import answers, fitted
from cnnlab.networks.layers import Conv2d
from cnnlab.networks.layers.base import shown
from cnnlab.ui.learn.convolution.filters import Chosen, pick_filter
from cnnlab.ui.learn.convolution.parting import show_parting
from cnnlab.ui.learn.convolution.pictures import Pictures, pick_pictures
from cnnlab.ui.shell import frame
from cnnlab.ui.widgets.images import enlarged
from cnnlab.ui.widgets.sliding_window import show_window
from cnnlab.ui.widgets.window_scene import scene_of

_SIDE = 168  # pixels of an image on the page


def show() -> None:
    """Show the chapter."""
    choice, window = st.container(), st.container()
    st.markdown(
        "Put a small filter on an image. Multiply each weight by the pixel under it and add the products: one "
        "number. Move one pixel further and repeat. All these numbers form the **feature map**."
    )
    left, right = st.columns(2, gap="large")
    with left:
        pictures = pick_pictures()
    with right:
        chosen, rectified = _filter(choice)
    if pictures is None or chosen is None:
        return
    image = pictures.looked_at()
    kernel = fitted(chosen.kernel, len(image))
    if max(kernel.shape[1:]) > min(image.shape[1:]):
        st.info(f"This filter is larger than the image of {shown(tuple(image.shape[1:]))} pixels: take another.")
        return
    with window:
        _step(image, kernel, rectified)
    _maps(pictures, chosen.kernel, chosen.title, rectified)
    if pictures.digits:
        show_parting(pictures.digits, chosen.kernel, chosen.title, rectified)


def _filter(choice: DeltaGenerator) -> tuple[Chosen | None, bool]:
    """Choose the filter in ``choice``, None where there is none, its weights here, and whether ReLU follows it."""
    chosen = None
    with frame.errors_shown():
        chosen = pick_filter(choice)
    rectified = st.toggle(
        "Apply ReLU",
        key="learn.convolution.relu",
        persist_state="session",
        help="Negative numbers become zero, as after most convolutions of a network.",
    )
    return chosen, rectified


def _step(image: Tensor, kernel: Tensor, rectified: bool) -> None:
    """Show the sliding window over one image (C, H, W) with a kernel (C, height, width)."""
    rows, columns = kernel.shape[1:]
    layer = Conv2d(out_channels=1, kernel_size=(rows, columns), bias=False)
    scene = scene_of(work(image, layer, kernel[None], None), len(image) == 3, "Feature map", rectified)
    show_window(scene, "learn.convolution.window")
    if len(image) == 3:
        st.caption(
            "A colour picture has three channels, whose three sums are added. Select a channel to see its products."
        )


def _maps(pictures: Pictures, kernel: Tensor, title: str, rectified: bool) -> None:
    """Show each image with its feature map, all on one scale."""
    found = [answers(image[None], fitted(kernel, len(image)), rectified)[0, 0] for image in pictures.images]
    limit = max(float(map_.abs().max()) for map_ in found)
    with st.container(horizontal=True, gap="medium"):
        for image, map_, name in zip(pictures.images, found, pictures.titles, strict=True):
            pixels = (image * 255).round().byte()
            st.image(inline(enlarged(pixels, _SIDE)), caption=name, alt=name, width=_SIDE)
            picture = inline(coloured(map_.numpy(), limit, _SIDE))
            st.image(picture, caption="its feature map", alt=f"{title} on {name}: the feature map", width=_SIDE)
