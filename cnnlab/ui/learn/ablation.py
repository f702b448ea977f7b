"""Ablation: parts of a training added or removed, and transfer, each over several seeds."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import asdict
from itertools import chain
from typing import get_args

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab.charts import ablation as charts
from cnnlab.learn import ablation, transfer
from cnnlab.learn.guesses import Guessable
from cnnlab.learn.repeats import Effect, Repeats, effects
from cnnlab.learn.shipped import Shipped, shipped_ablation, shipped_transfer
from cnnlab.networks.designs import to_link
from cnnlab.quantities import duration
from cnnlab.ui.shell import frame
from cnnlab.ui.widgets.figure import download_table
from cnnlab.ui.widgets.live_chart import live_chart
from cnnlab.ui.widgets.progress import trial

WAYS: dict[ablation.Way, str] = {"add": "add one to plain training", "remove": "take one from all of them"}
SUBJECTS = {"parts": "parts of a training", "transfer": "transfer"}
ROW = 58  # pixels of a chart
MEANINGS: dict[ablation.Part, str] = {
    "augmentation": "each image is slightly moved, rotated, scaled and sheared, differently each time",
    "batch norm": "after each of the two convolutions",
    "dropout": "drops half of the features before the logits",
    "weight decay": f"{ablation.SETTINGS['weight decay']['weight_decay']:g}, with AdamW",
    "TrivialAugment": "mirrors some images, then one random change of shape or colour; made for photos",
    "mixup": "blends two images and their labels",
    "CutMix": "pastes in a rectangle of another image and mixes the labels by area",
    "weight average": "tests the mean of the last weights, not the last weights",
    "gradient clipping": "shortens a gradient longer than 1 to length 1",
    "warm-up": "the rate rises for two epochs, then falls along a cosine; all other trainings use one-cycle",
}


def show() -> None:
    """Show the ablation of a training's parts, or transfer."""
    settings, results = st.columns([2, 5], gap="large")
    with settings:
        subject = st.segmented_control(
            "Parts of a training",
            list(SUBJECTS),
            default="parts",
            format_func=SUBJECTS.__getitem__,
            key="learn.ablation.subject",
            required=True,
            persist_state="session",
            wrap=True,
        )
    if subject == "transfer":
        _transfer(settings, results)
    else:
        _parts(settings, results)


def _parts(settings: DeltaGenerator, results: DeltaGenerator) -> None:
    """Show the settings, the estimated time and the results of the ablation."""
    with settings:
        terms = _terms()
        button, time = st.container(), st.container()
        with st.popover("What the parts are", icon=":material/info:", type="tertiary"):
            st.markdown("\n".join(f"- **{part}**: {what}" for part, what in MEANINGS.items()))
            st.markdown("Everything else is the same: two convolutions, AdamW, one-cycle learning rate.")
    with results:
        if terms:
            guess = ablation.to_guess(terms)
            _try("learn.ablation.trial", terms, lambda: ablation.ablate(terms), shipped_ablation(terms), button, guess)
    if terms:
        with time:  # last, as its timing takes a moment
            _estimate(terms, len(terms.arms))


def _terms() -> ablation.Terms | None:
    """Choose the parts and how often they are trained; say what to do and return None where there is nothing to try."""
    way = st.segmented_control(
        "How",
        get_args(ablation.Way),
        default="add",
        format_func=WAYS.__getitem__,
        key="learn.ablation.way",
        required=True,
        persist_state="session",
        wrap=True,
    )
    parts = st.pills(
        "Parts",
        get_args(ablation.Part),
        selection_mode="multi",
        default=ablation.USUAL,
        key="learn.ablation.parts",
        persist_state="session",
        wrap=True,
    )
    images, epochs, seeds = _budget("learn.ablation", ablation.IMAGES, ablation.Terms())
    if not parts:
        st.info("Select at least one part.", icon=":material/science:")
        return None
    terms = ablation.Terms(way, tuple(parts), images, epochs, seeds)
    if terms.exclude_each_other:
        st.info("A training has one augmentation: select augmentation or TrivialAugment.", icon=":material/science:")
        return None
    return terms


def _transfer(settings: DeltaGenerator, results: DeltaGenerator) -> None:
    """Show the same for the initial weights, on a different task."""
    with settings:
        terms = transfer.Terms(*_budget("learn.transfer", transfer.IMAGES, transfer.Terms()))
        button = st.container()
        _estimate(terms, len(transfer.STARTS), transfer.SOURCE_IMAGES * transfer.SOURCE_EPOCHS)
    with results:
        st.markdown(
            "A new task: classify **5 to 9** from few images. Does it help to start with convolutions trained on all "
            "images of **0 to 4**? The last layer always starts from random weights."
        )
        guess = transfer.to_guess(terms)
        _try("learn.transfer.trial", terms, lambda: transfer.transfer(terms), shipped_transfer(terms), button, guess)
        st.markdown("\n".join(f"- **{name}**: {what}" for name, what in transfer.STARTS.items()))


def _budget(key: str, images: tuple[int, ...], usual: ablation.Terms | transfer.Terms) -> tuple[int, int, int]:
    """Choose the numbers of images, epochs and seeds."""
    return (
        st.select_slider("Images to learn from", images, usual.images, key=f"{key}.images", persist_state="session"),
        st.slider("Epochs", 5, 60, usual.epochs, step=5, key=f"{key}.epochs", persist_state="session"),
        st.slider("Seeds", 2, 8, usual.seeds, key=f"{key}.seeds", persist_state="session"),
    )


def _estimate(terms: ablation.Terms | transfer.Terms, arms: int, before: int = 0) -> None:
    """Show the estimated time; ``before`` more images are trained on first, under each seed."""
    seconds = terms.seeds * (arms * terms.images * terms.epochs + before) / _images_per_second()
    st.caption(
        f":material/timer: {frame.counted(terms.seeds * arms, 'training')}, about {duration(seconds)} on this "
        f"machine. Each is tested on {terms.judged_on:,} images it did not train on. These are not the test images, "
        "so you may choose by them."
    )


@st.cache_data(show_spinner="Timing this machine", ttl=600)
def _images_per_second() -> float:
    return ablation.images_per_second()


def _try(
    key: str,
    terms: ablation.Terms | transfer.Terms,
    steps: Callable[[], Generator[Repeats]],
    shipped: Shipped[Repeats] | None,
    place: DeltaGenerator,
    guess: Guessable[Repeats],
) -> None:
    hint = "These settings are not computed yet. Press the button: each training appears as soon as it is tested."
    trial(key, "Compute it here", terms, steps, _show, hint, shipped, place, guess)


def _show(reached: Repeats) -> None:
    """Show dots, differences, a table and its summary; links once the experiment is complete."""
    found = effects(reached.accuracies)
    if not found[0].seeds:
        return
    rows = pd.DataFrame([{**asdict(effect), "verdict": effect.verdict} for effect in found])
    kind = "transfer" if isinstance(reached.terms, transfer.Terms) else "ablation"
    height = 90 + ROW * len(rows)
    left, right = st.columns(2)
    with left:
        st.markdown("**Accuracy, seed by seed**")
        live_chart(
            charts.dots(reached.accuracies, rows, reached.seeds),
            f"learn.{kind}.dots",
            str(reached.terms),
            "Accuracy of each seed, with mean and standard deviation",
            height,
        )
    with right:
        st.markdown(f"**Difference to “{found[0].name}”**")
        live_chart(
            charts.intervals(rows),
            f"learn.{kind}.intervals",
            str(reached.terms),
            "Differences to the baseline with their intervals",
            height,
        )
    st.markdown(
        "One training proves little: another seed gives another accuracy. So every training is repeated with several "
        "seeds. A difference counts only if chance does not explain it."
    )
    _told(found)
    _table(rows)
    if isinstance(reached.terms, ablation.Terms) and reached.done == 1:
        _doors(reached.terms, found)


def _told(found: list[Effect]) -> None:
    """Say which differences are significant."""
    said = {
        "better": "More than chance, better",
        "worse": "More than chance, worse",
        "within chance": "No evidence of a difference (more seeds narrow the intervals)",
    }
    for verdict, what in said.items():
        if names := [f"**{effect.name}**" for effect in found[1:] if effect.verdict == verdict]:
            st.markdown(f"{what}: {', '.join(names)}.")


def _table(rows: pd.DataFrame) -> None:
    points = st.column_config.NumberColumn(format="%+.2f")
    shown = pd.DataFrame(
        {
            "Training": rows["name"],
            "Seeds": rows["seeds"],
            "Mean, %": 100 * rows["mean"],
            "Sd, points": 100 * rows["sd"],
            "Difference, points": 100 * rows["difference"],
            "From": 100 * rows["low"],
            "To": 100 * rows["high"],
            "Verdict": ["baseline", *rows["verdict"][1:]],
        }
    )
    columns = {
        "Mean, %": st.column_config.NumberColumn(format="%.2f"),
        "Sd, points": st.column_config.NumberColumn(format="%.2f"),
        "Difference, points": points,
        "From": points,
        "To": points,
    }
    st.dataframe(shown, hide_index=True, column_config=columns, width="stretch", placeholder="")
    with st.container(horizontal=True):
        st.caption(
            "Differences are paired: with one seed, all trainings use the same images. From and To bound the "
            "difference. All intervals together hold with 95% confidence (Student's t, Bonferroni)."
        )
        download_table(lambda: shown, "several-seeds")


def _doors(terms: ablation.Terms, found: list[Effect]) -> None:
    """Show links that train the baseline and the best other arm on all of MNIST."""
    best = max(found[1:], key=lambda effect: effect.mean)
    st.markdown("Does it still help with 60,000 images? Train both on all of MNIST:")
    with st.container(horizontal=True):
        for name in (found[0].name, best.name):
            frame.door("Train", f"“{name}” on all of MNIST", _whole_mnist(terms, name))


def _whole_mnist(terms: ablation.Terms, name: str) -> dict[str, str]:
    """Build the URL parameters of Train for the same training on the whole data set."""
    config = terms.config(terms.arms[name], seed=0)
    fields = sorted({"batch_size", "weight_decay", *chain.from_iterable(ablation.SETTINGS.values())})
    return {
        "recipe": "default",
        "dataset": "mnist",
        "epochs": "3",
        "design": to_link(config.architecture),
        **{field: str(getattr(config, field)) for field in fields},
    }
