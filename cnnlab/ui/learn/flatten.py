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
    first_of,
    ink_lost,
    moved,
    shuffled,
    to_guess,
)
from cnnlab.learn.shipped import shipped_contest
from cnnlab.networks.architecture import Architecture, summarise
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.state import CONTESTS, ENDING
from cnnlab.ui.widgets.bounds import whole_number
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
    settings, results = st.columns([2, 5], gap="large")
    with settings:
        terms = _terms()
        button = st.container()
        if terms:
            st.caption(f"Trains both networks for {frame.counted(terms.epochs, 'epoch')}.")
    with results:
        if terms:
            trial(
                "learn.flatten.contest",
                "Compute it here",
                terms,
                lambda: contest(terms, _data()),
                _show,
                f"These settings are not computed yet. Press the button: both networks train on the same "
                f"{len(_data().train):,} digits in the same batches.",
                shipped_contest(terms),
                button,
                to_guess(terms),
            )
    st.header("The two networks", anchor=False)
    st.markdown(
        "A dense network reads the image as one row of numbers. It loses which pixels are neighbours. A "
        "convolutional network keeps the two dimensions. Both networks here have as many parameters."
    )
    _networks(ENDING.get(), dataset_spec("mnist-sample"))


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


def _terms() -> Terms | None:
    """Show the settings; None where the seed is wrong."""
    ending: Ending = st.segmented_control(
        "The convolutional network's last maps are",
        get_args(Ending),
        default="flattened",
        format_func=ENDINGS.__getitem__,
        key=ENDING.name,
        required=True,
        persist_state="session",
        wrap=True,
    )
    augmentation: Varied = st.segmented_control(
        "Training images",
        get_args(Varied),
        default="none",
        format_func=VARIED.__getitem__,
        key="learn.flatten.augmentation",
        required=True,
        persist_state="session",
        wrap=True,
    )
    is_shuffled = st.toggle(
        "Shuffle the pixels",
        key="learn.flatten.shuffled",
        help="Puts the pixels of all images into the same random order. Only the neighbourhoods are lost.",
        persist_state="session",
    )
    epochs = st.slider("Epochs", 2, 30, 10, key="learn.flatten.epochs", persist_state="session")
    seed = whole_number("Seed", 0, 999, value=0, key="learn.flatten.seed", persist_state="session")
    return None if seed is None else Terms(ending, augmentation, is_shuffled, epochs, seed)


def _data() -> Data:
    return load("mnist-sample")


def _show(reached: Contest) -> None:
    """Show curves during training; a digit to shift and accuracy against shift at the end."""
    if not reached.by_shift:
        _curves(reached)
        return
    _remember(reached)
    st.fragment(_one_digit)(reached)  # a fragment of its own: a moved slider reruns nothing else
    st.markdown("**Shift the test images**")
    show_figure(
        charts.accuracy_by_shift(reached.by_shift, 1 / len(_data().spec.classes)),
        "dense-or-not-shift",
        "Test accuracy of both networks by how far the images are moved",
        lambda: pd.DataFrame(reached.by_shift).rename_axis("pixels").reset_index(),
        f"{len(_data().test):,} test images shifted right, left, down and up; the mean of the four. At {FARTHEST} px, "
        f"{ink_lost(_data().test.images, FARTHEST):.1%} of their ink has left the picture.",
    )
    st.markdown("**How they learned**")
    _curves(reached)
    _tried()


def _curves(reached: Contest) -> None:
    live_chart(
        charts.learning(reached.curves),
        "learn.flatten.curves",
        str(reached.terms),
        "Accuracy of both networks by epoch",
        280,
    )


def _one_digit(reached: Contest) -> None:
    """Show a digit to shift, and both predictions."""
    data = _data()
    digit = st.pills(
        "Digit to shift",
        data.spec.classes,
        default="4",
        key="learn.flatten.digit",
        required=True,
        persist_state="session",
        wrap=True,
    )
    picture, answers = st.columns([1, 2], gap="large")
    with picture:
        place = st.container()
        right = st.slider("To the right, px", -FARTHEST, FARTHEST, 0, key="learn.flatten.right")
        down = st.slider("Down, px", -FARTHEST, FARTHEST, 0, key="learn.flatten.down")
        label = data.spec.classes.index(digit)
        image = moved(first_of(label, data), right, down)
        seen = shuffled(image) if reached.terms.is_shuffled else image
        alt = f"{frame.with_article(label).capitalize()} as the networks see it"
        place.image(inline(enlarged(seen[0], 168)), width=168, alt=alt)
    with answers:
        said = {name: reached.answer(name, label, right, down) for name in reached.answers}
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
            260,
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
    st.header("Your results", anchor=False)
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
