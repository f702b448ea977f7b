"""Total cost of a design, alone and beside another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from cnnlab.networks.architecture import LayerSummary
from cnnlab.quantities import counted, duration, size
from cnnlab.ui.design.state import Images
from cnnlab.ui.shell.glossary_links import linked


@dataclass(frozen=True)
class Totals:
    """Totals of a network; bytes are for a batch."""

    parameters: int
    macs: int
    kept: int  # bytes of activations that training stores
    peak: int  # peak bytes of activations in inference
    sees: tuple[int, int]  # receptive field of the last feature maps in pixels
    seconds: float | None  # of an epoch; None where not known


def totals(rows: Sequence[LayerSummary], images: Images, seconds: float | None) -> Totals:
    """Sum the rows of ``follow``; where a layer does not fit, only those before it."""
    top = [row for row in rows if len(row.place) == 1 and row.output_shape]
    maps = [row.receptive_field for row in top if len(row.output_shape) == 3]
    return Totals(
        parameters=sum(row.parameters for row in top),
        macs=sum(row.macs for row in top),
        kept=sum(row.activation_bytes for row in top) * images.batch_size,
        peak=max((row.peak_bytes for row in top), default=0) * images.batch_size,
        sees=maps[-1] if maps else (images.shape[1], images.shape[2]),  # features of a flattened image cover all of it
        seconds=seconds,
    )


def show_totals(total: Totals, images: Images, note: str) -> None:
    """Show the figures in one line; ``note`` is about the time."""
    with st.container(horizontal=True, gap="medium"):
        for label, (value, about) in _figures(total, images).items():
            st.metric(label, value, help=linked(about), width="content")
    if note:
        st.caption(note)


def show_beside(total: Totals, other: Totals, images: Images, names: tuple[str, str]) -> None:
    """Show both networks' figures in one table."""
    mine, others = _figures(total, images), _figures(other, images)
    ratios = {
        label: _ratio(ours, theirs) for label, ours, theirs in zip(mine, _numbers(total), _numbers(other), strict=True)
    }
    columns = {
        names[0]: {label: value for label, (value, _) in mine.items()},
        names[1]: {label: value for label, (value, _) in others.items()},
        "Times": ratios,
    }
    st.dataframe(pd.DataFrame(columns), width="stretch")


def _figures(total: Totals, images: Images) -> dict[str, tuple[str, str]]:
    batch = f"for a batch of {images.batch_size}, in 32 bits"
    return {
        "Parameters": (f"{total.parameters:,}", "Numbers that the network learns."),
        "Multiply-accumulates": (counted(total.macs), "For one image, in convolutions and linear layers."),
        "Activations, training": (size(total.kept), f"Kept for the backward pass, {batch}."),
        "Activations, inference": (size(total.peak), f"Largest amount in memory at once, {batch}."),
        "Receptive field": (f"{total.sees[0]}×{total.sees[1]} px", "The receptive field of the last feature maps."),
        "Time per epoch": (
            "…" if total.seconds is None else duration(total.seconds),
            "An estimate from a short measurement of each layer on this machine.",
        ),
    }


def _numbers(total: Totals) -> list[float]:
    seconds = total.seconds or 0.0
    return [total.parameters, total.macs, total.kept, total.peak, total.sees[0], seconds]


def _ratio(ours: float, theirs: float) -> str:
    return f"{ours / theirs:.2g}" if ours and theirs else ""
