"""Chapter: a dense and a convolutional network of equal size, tested on shifted images."""

from __future__ import annotations

from typing import get_args

import pandas as pd
import streamlit as st

from cnnlab.charts import dense_vs_conv as charts
from cnnlab.charts.png import inline
from cnnlab.data.datasets import dataset_spec
from cnnlab.data.loading import Data, load
from cnnlab.data.spec import DatasetSpec
from cnnlab.learn.dense_vs_conv import (
    FARTHEST,
    Contest,
    Ending,
    Terms,
    Varied,
    contest,
    contestants,
    ink_lost,
    moved,
    probabilities,
    shuffled,
)
from cnnlab.networks.architecture import Architecture, summarise
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.state import CONTESTS
from cnnlab.ui.widgets.diagram import show_network
from cnnlab.ui.widgets.figure import show_figure
from cnnlab.ui.widgets.images import enlarged
from cnnlab.ui.widgets.live_chart import live_chart
from cnnlab.ui.widgets.progress import trial

ENDINGS: dict[Ending, str] = {"flattened": "flattened at the end", "pooled": "pooled at the end"}
VARIED: dict[Varied, str] = {"none": "unchanged images", "shift": "images shifted by up to 2 px"}
TOLD_SHIFTS = (0, 2, 4, 6)  # pixels, in the table of all trials


def show() -> None:
    """Show the two networks, their training, the test on shifted images, and the earlier trials."""
    spec = dataset_spec("mnist-sample")
    st.markdown(
        "A dense network reads the image as one row of numbers. It loses which pixels are neighbours. A "
        "convolutional network keeps the two dimensions. Both networks here have as many parameters."
    )
    ending = st.segmented_control(
        "The convolutional network's last maps are",
        get_args(Ending),
        default="flattened",
        format_func=ENDINGS.__getitem__,
        key="learn.flatten.ending",
        required=True,
        persist_state="session",
    )
    _networks(ending, spec)
    st.subheader("Train both", anchor=False)
    terms = _terms(ending)
    trial(
        "learn.flatten.contest",
        "Train both side by side",
        terms,
        lambda: contest(terms, _data()),
        _show,
        f"Press the button. Both networks train on the same {len(_data().train):,} digits in the same batches. This "
        "takes less than half a minute on most machines.",
    )


def _networks(ending: Ending, spec: DatasetSpec) -> None:
    """Show both diagrams and costs, side by side."""
    networks = contestants(ending, spec)
    for column, (name, architecture) in zip(st.columns([1, 2], gap="large"), networks.items(), strict=True):
        with column:
            st.markdown(f"**{name.capitalize()}**: {_costs(architecture, spec)}")
            show_network(architecture, spec.shape, len(spec.classes), f"learn.flatten.network.{architecture.name}")


def _costs(architecture: Architecture, spec: DatasetSpec) -> str:
    rows = summarise(architecture, spec.shape, len(spec.classes))
    return f"{sum(row.parameters for row in rows):,} parameters, {sum(row.macs for row in rows):,} products an image"


def _terms(ending: Ending) -> Terms:
    """Show the settings, and a digit with its pixels shuffled where that is chosen."""
    left, right = st.columns([3, 1], gap="large")
    with left:
        augmentation = st.segmented_control(
            "Training images",
            get_args(Varied),
            default="none",
            format_func=VARIED.__getitem__,
            key="learn.flatten.augmentation",
            required=True,
            persist_state="session",
        )
        is_shuffled = st.toggle(
            "Shuffle the pixels",
            key="learn.flatten.shuffled",
            help="Puts the pixels of all images into the same random order. Only the neighbourhoods are lost.",
            persist_state="session",
        )
        with st.container(horizontal=True):
            epochs = st.slider("Epochs", 2, 30, 10, key="learn.flatten.epochs", persist_state="session")
            seed = st.number_input("Seed", 0, 999, 0, key="learn.flatten.seed", persist_state="session")
    with right:
        image = _data().test.images[:1]
        seen = shuffled(image) if is_shuffled else image
        st.image(inline(enlarged(seen[0], 140)), "What the networks see", width=140)
    return Terms(ending, augmentation, is_shuffled, epochs, seed)


def _data() -> Data:
    return load("mnist-sample")


def _show(reached: Contest) -> None:
    """Show curves during training; accuracy against shift at the end."""
    curves = {
        name: [(epoch.train_accuracy, epoch.validation_accuracy) for epoch in epochs]
        for name, epochs in reached.epochs.items()
    }
    live_chart(
        charts.learning(curves), "learn.flatten.curves", str(reached.terms), "Accuracy of both networks by epoch", 280
    )
    if not reached.by_shift:
        return
    _remember(reached)
    st.subheader("Shift the test images", anchor=False)
    show_figure(
        charts.accuracy_by_shift(reached.by_shift, 1 / len(_data().spec.classes)),
        "dense-or-not-shift",
        "Test accuracy of both networks by how far the images are moved",
        lambda: pd.DataFrame(reached.by_shift).rename_axis("pixels").reset_index(),
        f"{len(_data().test):,} test images shifted right, left, down and up; the mean of the four. At {FARTHEST} px, "
        f"{ink_lost(_data().test.images, FARTHEST):.1%} of their ink has left the picture.",
    )
    st.subheader("Shift one digit", anchor=False)
    st.fragment(_one_digit)(reached)  # a fragment of its own: a moved slider reruns nothing else
    _tried()


def _one_digit(reached: Contest) -> None:
    """Show a digit to shift, and both predictions."""
    data = _data()
    digit = st.pills(
        "Digit", data.spec.classes, default="4", key="learn.flatten.digit", required=True, persist_state="session"
    )
    picture, answers = st.columns([1, 2], gap="large")
    with picture:
        right = st.slider("To the right, px", -FARTHEST, FARTHEST, 0, key="learn.flatten.right")
        down = st.slider("Down, px", -FARTHEST, FARTHEST, 0, key="learn.flatten.down")
        label = data.spec.classes.index(digit)
        of_class = data.test.images[data.test.labels == label]
        image = moved(of_class[:1], right, down)
        unshuffled = ", before it is shuffled" if reached.terms.is_shuffled else ""
        told = f"{frame.with_article(label).capitalize()} of the test images{unshuffled}"
        st.image(inline(enlarged(image[0], 168)), told, width=168)
    with answers:
        said = {name: probabilities(network, image, data)[0].tolist() for name, network in reached.networks.items()}
        for name, values in said.items():
            best = max(range(len(values)), key=values.__getitem__)
            mark = "check" if best == label else "close"
            st.markdown(
                f":material/{mark}: The **{name}** network says **{data.spec.classes[best]}** ({values[best]:.0%})."
            )
        live_chart(
            charts.two_answers(data.spec.classes, said),
            "learn.flatten.answers",
            "answers",
            "Both networks' probabilities for the moved digit",
        )


def _remember(reached: Contest) -> None:
    tried: dict[Terms, Contest] = CONTESTS.fill({})
    tried[reached.terms] = reached


def _tried() -> None:
    """Show a row per network and setting, once there are several to compare."""
    tried: dict[Terms, Contest] = CONTESTS.get()
    if len(tried) < 2:
        st.caption(
            "Now shuffle the pixels, train on shifted images or change the last layers. A table compares your results."
        )
        return
    st.subheader("Your results", anchor=False)
    rows = [
        {
            "Network": name if name == "dense" else f"{name}, {terms.ending}",
            "Pixels": "shuffled" if terms.is_shuffled else "in place",
            "Training images": VARIED[terms.augmentation],
            "Epochs": terms.epochs,
            "Seed": terms.seed,
            **{f"{far} px": 100 * contest.by_shift[name][far] for far in TOLD_SHIFTS},
        }
        for terms, contest in tried.items()
        for name in contest.by_shift
    ]
    points = st.column_config.NumberColumn(format="%.1f")
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={f"{far} px": points for far in TOLD_SHIFTS},
        width="stretch",
    )
    st.caption("Test accuracy, %, by the shift of the images.")
