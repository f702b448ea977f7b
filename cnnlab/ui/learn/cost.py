"""Chapter: memory of a training step against batch size, and images per second, measured on this machine."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial

import pandas as pd
import streamlit as st

from cnnlab.charts import cost as charts
from cnnlab.data.datasets import DATASETS
from cnnlab.data.spec import DatasetSpec
from cnnlab.learn.step_memory import StepBytes, count_bytes, data_set_bytes
from cnnlab.learn.throughput import BATCH_SIZES, NEAR, SLOWEST, Lane, Speeds, lanes, measure_speeds, plateau, to_guess
from cnnlab.networks.architecture import ArchitectureError
from cnnlab.networks.presets import PRESETS
from cnnlab.quantities import counted, duration, size
from cnnlab.training.config import RunConfig, parse_config
from cnnlab.training.device import devices
from cnnlab.training.memory import MOMENTS, needs
from cnnlab.ui.shell.glossary_links import linked
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.widgets.figure import show_figure
from cnnlab.ui.widgets.progress import trial

PRECISIONS = ("float32", "bfloat16")

_KEY = "learn.cost"


@dataclass(frozen=True)
class _Asked:
    """The training to measure, without its batch size."""

    architecture: str
    dataset: str
    optimizer: str
    precision: str

    @property
    def spec(self) -> DatasetSpec:
        return DATASETS[self.dataset]

    def config(self, batch_size: int = 128) -> RunConfig:
        return parse_config({**asdict(self), "batch_size": batch_size})


def show() -> None:
    """Show the choice of a training, its memory and its speed."""
    asked, batch_size = _choose()
    try:
        counts = _counted(asked.architecture, asked.dataset, asked.optimizer, asked.precision)
    except ArchitectureError as error:
        st.error(as_reason(error), title="This network does not fit these images")
        return
    _show_layers(counts, asked, batch_size)
    _show_totals(counts, asked, batch_size)
    _show_formulas(counts, asked, batch_size)
    _compare_with_estimate(counts, asked, batch_size)
    st.header("Batch size against speed", anchor=False)
    _measure_speed(asked)


@st.cache_data(show_spinner=False, max_entries=256)
def _counted(architecture: str, dataset: str, optimizer: str, precision: str) -> StepBytes:
    asked = _Asked(architecture, dataset, optimizer, precision)
    return count_bytes(asked.config(), asked.spec)


def _choose() -> tuple[_Asked, int]:
    """Choose the training to measure, and the batch size."""
    network, images, optimizer, precision, batch = st.columns(5)
    with batch:
        batch_size = _choose_batch_size()
    asked = _Asked(
        architecture=network.selectbox(
            "Network",
            list(PRESETS),
            format_func=lambda name: PRESETS[name].title,
            key=f"{_KEY}.network",
            persist_state="session",
        ),
        dataset=images.selectbox(
            "Images",
            list(DATASETS),
            format_func=lambda name: DATASETS[name].title,
            key=f"{_KEY}.dataset",
            persist_state="session",
        ),
        optimizer=optimizer.selectbox(
            "Optimiser",
            list(MOMENTS),
            index=list(MOMENTS).index(RunConfig().optimizer),
            format_func={"sgd": "SGD, momentum", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop"}.__getitem__,
            key=f"{_KEY}.optimizer",
            persist_state="session",
        ),
        precision=precision.selectbox(
            "Precision",
            PRECISIONS,
            format_func={"float32": "32 bits", "bfloat16": "16 bits (bfloat16)"}.__getitem__,
            key=f"{_KEY}.precision",
            persist_state="session",
        ),
    )
    return asked, batch_size


def _choose_batch_size() -> int:
    chosen: int = st.select_slider(
        "Batch size, images", BATCH_SIZES, value=128, key=f"{_KEY}.batch", persist_state="session"
    )
    return chosen


def _show_totals(counts: StepBytes, asked: _Asked, batch_size: int) -> None:
    totals = counts.totals(batch_size)
    figures = {
        "One step": (sum(totals.values()), "Sum of the parts below at the start of the backward pass: the peak."),
        "Weights": (totals["weights"], "What the network learns, and batch norm's running statistics."),
        "Gradients": (totals["gradients"], "One number for each weight."),
        "Moments": (totals["moments"], "What the optimiser keeps for each weight."),
        "Activations": (totals["activations"], "Kept from the forward pass for the backward pass."),
        "Images": (totals["images"], "The batch as the first layer gets it."),
        "Data set": (data_set_bytes(asked.spec), "All images stay in memory, one byte per pixel and channel."),
    }
    with st.container(horizontal=True, gap="medium"):
        for label, (count, about) in figures.items():
            st.metric(label, size(count), help=linked(about), width="content")


def _show_layers(counts: StepBytes, asked: _Asked, batch_size: int) -> None:
    rows = pd.DataFrame(counts.rows(batch_size))
    show_figure(
        charts.bytes_by_layer(rows),
        f"bytes-{asked.architecture}-{batch_size}",
        "Bytes of a training step, by layer",
        lambda: rows,
        caption="Counted from the tensors of real steps. A tensor that autograd keeps counts for the first layer that "
        "needs it. So a convolution that reuses a ReLU's output adds nothing.",
    )


def _show_formulas(counts: StepBytes, asked: _Asked, batch_size: int) -> None:
    """Show the formula of each total with its numbers."""
    totals = counts.totals(batch_size)
    each, fixed = (sum(getattr(layer, name) for layer in counts.layers) for name in ("each", "fixed"))
    pixels = "×".join(str(length) for length in asked.spec.shape)
    st.markdown(
        "\n".join(
            (
                f"- **Activations** = {each:,} bytes × {batch_size:,} images + {fixed:,} bytes "
                f"= {totals['activations']:,} bytes: they grow with the batch",
                f"- **Gradients** = 4 bytes × {totals['gradients'] // 4:,} weights; **moments** = "
                f"{totals['moments'] / totals['gradients']:.3g} × gradients, whatever the batch",
                f"- **Images** = {pixels} × 4 bytes × {batch_size:,} = {totals['images']:,} bytes",
            )
        )
    )


def _compare_with_estimate(counts: StepBytes, asked: _Asked, batch_size: int) -> None:
    totals = counts.totals(batch_size)
    estimate = needs(asked.config(batch_size), asked.spec)
    rows = {
        "Weights, gradients, moments": (
            sum(totals[kind] for kind in ("weights", "gradients", "moments")),
            estimate.weights,
        ),
        "Activations": (totals["activations"], estimate.activations),
        "Images": (totals["images"] + data_set_bytes(asked.spec), estimate.images),
    }
    with st.expander("Compared with Train's estimate"):
        st.dataframe(
            pd.DataFrame(
                [
                    {"": what, "Counted": size(count), "Estimated": size(bound), "Times": f"{bound / count:.1f}"}
                    for what, (count, bound) in rows.items()
                ]
            ),
            hide_index=True,
            width="stretch",
        )
        st.caption(
            "Train refuses what might not fit, so its estimate is higher. It adds a second copy of each activation, "
            "validation batches, images during augmentation and the best weights so far."
        )


def _measure_speed(asked: _Asked) -> None:
    over = lanes()
    st.caption(
        f"Found here: {', '.join(lane.title for lane in over)}. Trains and predicts with larger and larger batches "
        f"until a step takes {SLOWEST:g} s. Medians of repeated steps, with images already in memory."
    )
    if devices() == ["cpu"]:
        st.caption(
            ":material/memory: There is no GPU "
            f"here{', so the chart compares one CPU thread with all' if over[1:] else ''}. On a machine with a CUDA "
            "GPU, the same button also measures the GPU."
        )
    trial(
        f"{_KEY}.speed",
        "Measure",
        asked,
        partial(measure_speeds, asked.config(), asked.spec, over),
        partial(_show_speeds, over),
        "Press **Measure**. Points appear from batches of one image on; it takes about ten seconds.",
        guess=to_guess(str(asked), over[0]),
    )


def _show_speeds(over: list[Lane], speeds: Speeds) -> None:
    if not speeds.points:
        return
    rows = pd.DataFrame(
        [{**asdict(point), "trained": point.trained, "answered": point.answered} for point in speeds.points]
    )
    show_figure(
        charts.images_a_second(rows),
        "images-a-second",
        "Images a second against batch size",
        lambda: rows,
        caption="Rising: more images share the cost of each layer call. Flat: arithmetic or memory is the limit.",
    )
    for lane in dict.fromkeys(point.lane for point in speeds.points):
        _tell_plateau(lane, speeds)
    _show_parts(rows, [lane.title for lane in over])


def _tell_plateau(lane: str, speeds: Speeds) -> None:
    """Say from which batch size speed no longer grows, and what share of peak arithmetic it reaches."""
    near, fastest = plateau(speeds.of(lane))
    within = f"{1 - NEAR:.0%}"
    from_there = f"From **{near.batch_size:,}** on, it is within {within} of that."
    if near == fastest:
        from_there = f"With any smaller batch it is more than {within} slower."
    reached, product = fastest.answered * speeds.macs, speeds.products[lane]
    st.markdown(
        f"- **{lane}** trains fastest with batches of {fastest.batch_size:,}: {fastest.trained:,.0f} images/s. "
        f"{from_there} For prediction it reaches {counted(reached)} multiply-accumulates a second, "
        f"{reached / product:.0%} of a large matrix product here ({counted(product)})."
    )


def _show_parts(rows: pd.DataFrame, names: list[str]) -> None:
    lane = st.segmented_control("Where a step's time goes", names, default=names[0], required=True, key=f"{_KEY}.lane")
    chosen = rows[rows["lane"] == lane]
    if chosen.empty:
        st.caption("This measurement runs after the others.")
        return
    smallest, largest = chosen.iloc[0], chosen.iloc[-1]
    passes = [duration(float(row["forward"] + row["backward"])) for row in (smallest, largest)]
    updates = [duration(float(row["update"])) for row in (smallest, largest)]
    show_figure(
        charts.step_parts(chosen),
        "step-parts",
        "Time for one image by part of the step, against batch size",
        lambda: chosen,
        caption=f"From batches of {smallest['batch_size']:,} to {largest['batch_size']:,}, forward and backward take "
        f"{passes[0]} to {passes[1]} a step, the update {updates[0]} to {updates[1]}.",
    )
