"""What every view of Inside gets, and how it shows a figure with its downloads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from torch import Tensor

from cnnlab.charts.png import inline, png
from cnnlab.drawings.strokes import Drawing
from cnnlab.runs.store import Run
from cnnlab.runs.trained import Trained
from cnnlab.ui.widgets.glossary_links import linked


@dataclass(frozen=True)
class Picked:
    """The image that the views look at."""

    pixels: Tensor  # (1, C, H, W) uint8
    title: str
    drawing: Drawing | None = None  # the strokes it was made of


@dataclass(frozen=True)
class Look:
    """A run at one of its epochs, and an image where the view needs one."""

    run: Run
    trained: Trained
    epochs: Sequence[int]  # whose weights are on disk
    image: Picked | None = None

    @property
    def at(self) -> str:
        """Names run and epoch in widget keys and files."""
        return f"{self.run.id}.{self.trained.epoch}"

    @property
    def picked(self) -> Picked:
        """The image. Raises ValueError in a view that did not say it needs one."""
        if self.image is None:
            raise ValueError("this view did not ask for an image")
        return self.image


@dataclass(frozen=True)
class View:
    """A view: its module beside this one, the question it answers, whether it looks at an image."""

    module: str
    question: str
    needs_image: bool = False

    def show(self, look: Look) -> None:
        """Draw it; its module is imported now, for some bring large libraries."""
        import_module(f"cnnlab.ui.inspect.{self.module}").show(look)


def show_figure(
    figure: go.Figure,
    name: str,
    alt: str,
    table: Callable[[], pd.DataFrame],
    caption: str = "",
    opens: str | None = None,
) -> None:
    """A figure, below it how to read it and its numbers as CSV; it downloads as PNG from its own toolbar.

    ``name`` becomes the files' name and the widgets' key. The number of a clicked tile is kept as ``opens``, for
    ``opened``.
    """
    key = f"figure.{name}"
    st.plotly_chart(
        figure,
        key=key,
        alt=alt,
        config={"displaylogo": False, "toImageButtonOptions": {"filename": name, "scale": 2}},
        on_select=(lambda: _keep_clicked(key, opens)) if opens else "ignore",
        selection_mode="points",
    )
    with st.container(horizontal=True):
        st.caption(linked(caption))
        download("CSV", lambda: table().to_csv(index=False), name)


def show_picture(
    pixels: npt.NDArray[np.uint8], name: str, alt: str, table: Callable[[], pd.DataFrame], caption: str = ""
) -> None:
    """A plain picture (H, W, C) with the same; faster than a figure where there are many."""
    st.image(inline(pixels), alt=alt)
    with st.container(horizontal=True):
        st.caption(linked(caption))
        download("PNG", lambda: png(pixels), name)
        download("CSV", lambda: table().to_csv(index=False), name)


def download(kind: Literal["CSV", "PNG"], content: Callable[[], str | bytes], name: str) -> None:
    """A button that makes the file ``name`` when it is pressed."""
    st.download_button(
        kind,
        content,
        f"{name}.{kind.lower()}",
        {"CSV": "text/csv", "PNG": "image/png"}[kind],
        key=f"{kind}.{name}",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        help={"CSV": "The numbers of this picture", "PNG": "This picture"}[kind],
    )


def opened(name: str, count: int) -> int | None:
    """The tile that was clicked and not closed, also after the picture has changed; below ``count``."""
    number: int | None = st.session_state.get(name)
    return number if number is not None and number < count else None


def close_button(name: str) -> None:
    """Closes what ``opened`` tells of."""
    st.button("Close", icon=":material/close:", key=f"{name}.close", on_click=st.session_state.pop, args=[name])


def _keep_clicked(chart: str, opens: str) -> None:
    points = st.session_state[chart].selection.points
    if points:
        st.session_state[opens] = int(points[0]["customdata"][0])


def tidy(values: Any, *axes: str) -> pd.DataFrame:
    """An array as a long table: one row a number, its indices in columns named ``axes``."""
    index = pd.MultiIndex.from_product([range(length) for length in values.shape], names=axes)
    return pd.DataFrame({"value": values.ravel()}, index=index).reset_index()
