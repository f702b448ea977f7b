"""Luck: the test images on which the seed decides, from the answers of several seeds of the same settings."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from cnnlab import charts
from cnnlab.charts.style import TILE_NAME, fitted
from cnnlab.evaluation.luck import SEEDS, Luck, images_of_luck
from cnnlab.evaluation.metrics import Answers
from cnnlab.runs.entry import Entry
from cnnlab.runs.seeds import one_per_seed, seed_of
from cnnlab.runs.trained import test_split
from cnnlab.ui.compare.seeds import offer_seeds
from cnnlab.ui.compare.selection import Chosen
from cnnlab.ui.shell.glossary_links import explain
from cnnlab.ui.shell.networks import trained_network
from cnnlab.ui.shell.state import COMPARED_IMAGE
from cnnlab.ui.views.cached import answers
from cnnlab.ui.views.gallery import opened_image
from cnnlab.ui.views.view import Look
from cnnlab.ui.widgets.figure import close_button, opened, show_figure
from cnnlab.ui.widgets.images import upright

SHOWN = 27
MOST_SEEDS = 5  # whose answers are asked for: each runs a network on all test images


def show(chosen: Chosen) -> None:
    """Show the images that the seed decides, for one of the chosen runs; offer more seeds where there are too few."""
    tested = {name: entry for name, entry in chosen.named.items() if entry.test_accuracy is not None}
    if not tested:
        st.info("None of these runs has been tested: a run is tested when it ends.")
        return
    name = next(iter(tested))
    if len(tested) > 1:
        name = st.selectbox("Settings of", list(tested), key=f"compare.luck.{'.'.join(tested)}", width=320)
    seeds = one_per_seed(tested[name], chosen.everything)[:MOST_SEEDS]
    if len(seeds) < SEEDS:
        st.info(
            f"{SEEDS} runs with the same settings and different seeds show on which test images the seed decides. "
            f"Here {'is' if len(seeds) == 1 else 'are'} {len(seeds)}.",
            icon=":material/casino:",
        )
        offer_seeds({name: tested[name]}, chosen.everything)
        return
    _gallery({f"seed {seed_of(entry)}": entry for entry in seeds})


def _gallery(seeds: dict[str, Entry]) -> None:
    found = {name: answers(entry.run, trained_network(entry.run)) for name, entry in seeds.items()}
    luck = images_of_luck(list(found.values()))
    _tell(luck, len(seeds))
    if not len(luck.numbers):
        return
    split, entry = test_split(next(iter(seeds.values())).run), next(iter(seeds.values()))
    shown = luck.numbers[:SHOWN].tolist()
    rows = _rows(shown, found)
    short = fitted(next(iter(found.values())).classes, TILE_NAME)
    titles = [f"{short[row['true']]}<br>" + " ".join(short[row[name]] for name in seeds) for row in rows]
    show_figure(
        charts.tile_strip([upright(split.image(index)) for index in shown], titles, columns=9, units=shown),
        "luck",
        "Test images on which the seed decides, with the true class and each seed's answer",
        lambda: pd.DataFrame(_rows(luck.numbers.tolist(), found)),
        f"The {len(shown)} most undecided of {len(luck.numbers):,}: true class, below it the answer of "
        f"{', '.join(seeds)}. Click an image to open it.",
        COMPARED_IMAGE,
    )
    index = opened(COMPARED_IMAGE, len(split))
    if index is not None:
        opened_image(Look(entry.run, trained_network(entry.run), entry.run.epochs()), index)
        close_button(COMPARED_IMAGE)


def _tell(luck: Luck, seeds: int) -> None:
    if not len(luck.numbers):
        st.info("No test image: all seeds agree, with a wide margin.", icon=":material/check:")
        return
    st.markdown(
        f"**The seed decides {len(luck.numbers):,} of {luck.images:,} test images ({luck.share:.1%}).** "
        f"Two of these {seeds} seeds differ on {luck.apart:,.0f}, in the mean."
    )
    explain(
        f"The logit margins of {seeds} seeds, and how much they vary, tell on which images other seeds may be right or "
        "wrong. In benchmarks they held 94% of the differences between other seeds. A better accuracy that comes from "
        "these images alone is luck."
    )


def _rows(numbers: list[int], found: dict[str, Answers]) -> list[dict[str, Any]]:
    """Tabulate images: their number from 1 on, true class, and each seed's answer."""
    first = next(iter(found.values()))
    return [
        {"test image": index + 1, "true": first.classes[first.labels[index]]}
        | {name: each.classes[each.named[index]] for name, each in found.items()}
        for index in numbers
    ]
