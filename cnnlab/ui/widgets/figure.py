"""Figures and pictures with captions and downloads, and the tile of them that was clicked."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from pandas.api.types import is_numeric_dtype

from cnnlab.charts.png import inline, png
from cnnlab.text import no_formula
from cnnlab.ui.shell.glossary_links import explain
from cnnlab.ui.shell.state import Key

TILES = 128  # in one picture: more are too small to be seen and clicked


def show_figure(
    figure: go.Figure,
    name: str,
    alt: str,
    table: Callable[[], pd.DataFrame],
    caption: str = "",
    opens: Key[int | None] | None = None,
) -> None:
    """Show a figure with a caption and its numbers as CSV; its own toolbar downloads it as PNG.

    ``name`` becomes the files' name and the widgets' key. The index of a clicked tile is stored in ``opens``, for
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
        explain(caption)
        download_table(table, name)


def show_picture(
    pixels: npt.NDArray[np.uint8], name: str, alt: str, table: Callable[[], pd.DataFrame], caption: str = ""
) -> None:
    """Show a plain picture (H, W, C) with caption and downloads; faster than a figure where there are many."""
    st.image(inline(pixels), alt=alt)
    with st.container(horizontal=True):
        explain(caption)
        _download("PNG", lambda: png(pixels), name)
        download_table(table, name)


def download_table(table: Callable[[], pd.DataFrame], name: str) -> None:
    """Show a button that creates a table as the CSV file ``name`` when clicked."""
    _download("CSV", lambda: as_csv(table()), name)


def as_csv(table: pd.DataFrame) -> str:
    """Return a table as CSV, in which no text becomes a formula of a spreadsheet: others may have written it."""
    harmless = table.apply(lambda column: column if is_numeric_dtype(column) else column.map(no_formula))
    text: str = harmless.rename(columns=no_formula).to_csv(index=False)
    return text


def _download(kind: Literal["CSV", "PNG"], content: Callable[[], str | bytes], name: str) -> None:
    """Show a button that creates the file ``name`` when clicked."""
    st.download_button(
        kind,
        content,
        f"{name}.{kind.lower()}",
        {"CSV": "text/csv", "PNG": "image/png"}[kind],
        key=f"{kind}.{name}",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        help={"CSV": "The numbers in this figure", "PNG": "This figure"}[kind],
    )


def paged(count: int, at_once: int, key: str) -> slice:
    """Choose which of ``count`` things to show: all, or ``at_once`` of them with buttons for the others."""
    pages = max(1, ceil(count / at_once))
    page = st.pagination(pages, key=f"{key}.{pages}", persist_state="session") if pages > 1 else 1
    return slice((page - 1) * at_once, page * at_once)


def opened(tile: Key[int | None], count: int) -> int | None:
    """Return the index, below ``count``, of the open tile, even if the picture has changed; None if all are closed."""
    number = tile.get()
    return number if number is not None and number < count else None


def close_button(tile: Key[int | None]) -> None:
    """Show a button that closes the open tile."""
    st.button("Close", icon=":material/close:", key=f"{tile.name}.close", on_click=tile.drop)


def _keep_clicked(chart: str, tile: Key[int | None]) -> None:
    points = st.session_state[chart].selection.points
    if points:
        tile.put(int(points[0]["customdata"][0]))


def tidy(values: Any, *axes: str) -> pd.DataFrame:
    """Convert an array to a long table: one row per number, its indices in columns named ``axes``."""
    index = pd.MultiIndex.from_product([range(length) for length in values.shape], names=axes)
    return pd.DataFrame({"value": values.ravel()}, index=index).reset_index()
