"""A window that slides over an image: the numbers under it at each position, and the output so far.

It moves in the browser alone, by mouse, finger or keyboard; all the numbers are computed here beforehand.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

Numbers = npt.NDArray[np.floating[Any]]
Pair = tuple[int, int]  # rows, columns
Tint = tuple[int, int, int]  # red, green and blue of the brightest pixel

WHITE: Tint = (255, 255, 255)

_component = st.components.v2.component(
    "cnnlab_window",
    html="""
<div class="window">
  <div class="window-tools" role="toolbar" aria-label="Move the window">
    <button type="button" data-tool="back">Back</button>
    <button type="button" data-tool="step">Step</button>
    <button type="button" data-tool="play">Play</button>
    <input type="range" class="window-slider" min="0" value="0" aria-label="Position of the window">
    <label><input type="checkbox" class="window-fills" checked> Fill in step by step</label>
  </div>
  <div class="window-stage" tabindex="0" role="application"
       aria-label="The window over the image: arrow keys move it, space plays">
    <figure class="window-part" data-part="input">
      <figcaption></figcaption><div class="window-plane"><canvas></canvas><svg aria-hidden="true"></svg></div>
    </figure>
    <figure class="window-part" data-part="cells"><figcaption></figcaption><div class="window-cells"></div></figure>
    <figure class="window-part" data-part="output">
      <figcaption></figcaption><div class="window-plane"><canvas></canvas><svg aria-hidden="true"></svg></div>
    </figure>
  </div>
  <div class="window-sum"></div>
  <p class="window-told" aria-live="polite"></p>
  <p class="window-hint">Point or tap on either picture, or use the arrow keys. Blue is above zero, red below.</p>
</div>
""",
    css=Path(__file__).with_suffix(".css").read_text(encoding="utf-8"),
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Scene:
    """K planes, the window on them, and its output at each of rows × columns positions.

    A pool has neither weights, products nor sums: the scene has only the pixels and the output.
    """

    planes: Numbers  # (K, H, W), padding included
    names: Sequence[str]  # of the planes; "" for one without a name
    output: Numbers  # (rows, columns)
    kernel: Pair
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    border: tuple[int, int, int, int] = (0, 0, 0, 0)  # pixels of padding: top, left, bottom, right
    origin: npt.NDArray[np.integer[Any]] | None = None  # (H, W): index of the source pixel without padding; or −1
    weights: Numbers | None = None  # (K, kernel height, kernel width)
    products: Numbers | None = None  # (K, rows, columns, kernel height, kernel width)
    sums: Numbers | None = None  # (K, rows, columns)
    rest: Numbers | None = None  # (rows, columns): the sum over the planes not shown
    rest_title: str = ""
    bias: float | None = None
    result: str = "output"
    output_title: str = "Output"
    each: str = ""  # text after the number of pixels: " in each of 3 channels"
    tints: Sequence[Tint] | None = None  # white by default
    begin: Pair | None = None  # the initial position; by default that of the largest output

    @property
    def numbers(self) -> int:
        """The count of numbers sent to the browser."""
        return sum(0 if array is None else array.size for array in (*self._arrays().values(), self.origin))

    def data(self) -> dict[str, Any]:
        """Return the data for the browser; arrays as base64 of 32-bit numbers in PyTorch's order."""
        strongest = np.unravel_index(int(np.abs(self.output).argmax()), self.output.shape)
        return {
            "size": list(self.planes.shape[1:]),
            "names": list(self.names),
            "output_size": list(self.output.shape),
            "kernel": list(self.kernel),
            "stride": list(self.stride),
            "dilation": list(self.dilation),
            "border": list(self.border),
            "range": [min(0.0, float(self.planes.min())), float(self.planes.max())],
            "origin": _packed(self.origin, "<i4"),
            "rest_title": self.rest_title,
            "bias": self.bias,
            "result": self.result,
            "output_title": self.output_title,
            "each": self.each,
            "tints": [list(tint) for tint in self.tints or [WHITE] * len(self.planes)],
            "begin": list(self.begin or map(int, strongest)),
            **{name: _packed(array, "<f4") for name, array in self._arrays().items()},
        }

    def _arrays(self) -> dict[str, Numbers | None]:
        names = ("planes", "output", "weights", "products", "sums", "rest")
        return {name: getattr(self, name) for name in names}


def show_window(scene: Scene, key: str) -> None:
    """Show the window; its position survives new scenes that have it."""
    _component(data=scene.data(), key=key)


def _packed(array: npt.NDArray[Any] | None, kind: str) -> str | None:
    return None if array is None else b64encode(array.astype(kind).tobytes()).decode()
