"""Images as points of a Plotly chart that keeps its zoom or camera: hovering shows one, a click returns its index."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from math import ceil, sqrt
from typing import Any

import plotly.graph_objects as go
import streamlit as st
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from cnnlab.ui.shell.state import cloud_of
from cnnlab.ui.widgets.component_files import joined
from cnnlab.ui.widgets.plotly_element import SCRIPT, publish_script

SHOWN_SIDE = 84  # pixels on the page of the image that hovering shows

_component = st.components.v2.component(
    "cnnlab_point_cloud",
    html="""
<div class="point-cloud-frame">
  <div class="point-cloud"></div>
  <div class="point-cloud-image" hidden></div>
</div>
""",
    css="""
.point-cloud-frame {
  position: relative;
}
.point-cloud-image {
  position: absolute;
  pointer-events: none;
  image-rendering: pixelated;
  border: 1px solid var(--st-border-color);
  z-index: 10;
}
""",
    js=joined("plotly_element.js", "point_cloud.js"),
    isolate_styles=False,  # plotly puts its styles into the document
)


def point_cloud(
    figure: go.Figure,
    sprites: dict[str, Any],
    name: str,
    revision: str,
    alt: str,
    on_loop: Callable[[list[int]], object] = lambda images: None,
) -> int | None:
    """Draw ``figure``, whose points' customdata are indices into ``sprites``; return the index just clicked, or None.

    ``on_loop`` gets the indices in a loop that was drawn around points, before the page is redrawn. Zoom and camera
    survive updates as long as ``revision`` stays the same; ``name`` is the download's.
    """
    publish_script()
    height = figure.layout.height
    data = {
        "figure": figure.to_json(),
        "script": SCRIPT,
        "sprites": sprites,
        "revision": revision,
        "filename": name,
        "alt": alt,
        "height": height,
    }
    cloud = cloud_of(name)

    def looped() -> None:
        on_loop(sorted(map(int, cloud.get()["looped"])))

    result = _component(
        data=data, key=cloud.name, height=height, on_clicked_change=lambda: None, on_looped_change=looped
    )
    clicked: int | None = result.clicked
    return clicked


def sprite_sheet(images: Tensor) -> dict[str, Any]:
    """Pack images (N, C, H, W) uint8 into one picture that the browser cuts up: its URL and geometry."""
    shrink = max(1, images.shape[-1] // SHOWN_SIDE)
    images = images[..., ::shrink, ::shrink]
    count, channels, height, width = images.shape
    columns = ceil(sqrt(count))
    rows = ceil(count / columns)
    padded = F.pad(images, (0, 0, 0, 0, 0, 0, 0, rows * columns - count))
    tiles = padded.view(rows, columns, channels, height, width).permute(0, 3, 1, 4, 2)  # → (rows, H, columns, W, C)
    sheet = tiles.reshape(rows * height, columns * width, channels).squeeze(-1)
    buffer = BytesIO()
    Image.fromarray(sheet.numpy()).save(buffer, "WEBP", quality=60)  # a tenth of the PNG's size
    url = f"data:image/webp;base64,{b64encode(buffer.getvalue()).decode()}"
    return {"url": url, "width": width, "height": height, "columns": columns, "zoom": max(1, SHOWN_SIDE // width)}
