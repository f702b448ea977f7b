"""Chapter: common mistakes, each run beside its fix."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnnlab.charts.pitfalls import beside_lines, beside_points
from cnnlab.learn.chapters import Door
from cnnlab.learn.pitfalls import PITFALLS, Finding, Measured, Picture, Pitfall
from cnnlab.networks.architecture import Draft
from cnnlab.networks.designs import to_link
from cnnlab.networks.layers import Softmax
from cnnlab.networks.presets import PRESETS
from cnnlab.ui.shell import frame
from cnnlab.ui.shell.address import DESIGN, TRAP
from cnnlab.ui.shell.glossary_links import linked
from cnnlab.ui.shell.state import PITFALL
from cnnlab.ui.widgets.bounds import whole_number
from cnnlab.ui.widgets.figure import show_figure
from cnnlab.ui.widgets.progress import trial

_SOFTMAX_LAST = Draft(name="softmax-last", title="Softmax last", layers=(*PRESETS["basic-cnn"].layers, Softmax()))

# The page of the app that avoids the mistake.
DOORS = {
    "unscaled": Door(
        "Train",
        "Train the tour's network: one setting scales all splits",
        {"recipe": "conv2d-tour", "dataset": "mnist-sample", "epochs": "5"},
    ),
    "flatten": Door("Design", "Build it on Design, which computes every shape", preset="conv2d-tour"),
    "eval": Door("Evaluate", "Evaluate a network, always in eval mode"),
    "softmax": Door("Design", "See a softmax last on Design and read its hint", {DESIGN.name: to_link(_SOFTMAX_LAST)}),
    "first-four": Door("Evaluate", "See each class with its images and its interval"),
    "labels": Door("Evaluate", "Find labels that look wrong", {"view": "Label errors"}),
    "learning-rate": Door(
        "Train",
        "Find a learning rate in the lab",
        {"recipe": "basic-cnn", "dataset": "mnist-sample", "learning_rate": "0.5"},
    ),
    "test-set": Door(
        "Sweep",
        "Search settings by validation; use the test set once",
        {"recipe": "basic-cnn", "dataset": "mnist-sample", "epochs": "5"},
    ),
    "scenes": Door("Data", "Add your own pictures: shots of one scene stay together"),
    "overfitting": Door(
        "Train",
        "Train on few images with early stopping",
        {
            "recipe": "basic-cnn",
            "dataset": "mnist-sample",
            "train_fraction": "0.05",
            "epochs": "60",
            "early_stopping": "5",
        },
    ),
    "zero-grad": Door("Learn", "See one training step in slow motion", {"chapter": "step"}),
    "no-shuffle": Door(
        "Train",
        "Train with a new order in each epoch",
        {"recipe": "basic-cnn", "dataset": "mnist-sample", "epochs": "5"},
    ),
}

_HEADINGS = (":orange[:material/warning: With the pitfall]", ":blue[:material/check_circle: Fixed]")

_SEED = "learn.traps.seed"


def show() -> None:
    """Show the pitfall that the URL names."""
    trap = PITFALLS[_chosen()]
    st.markdown(trap.story)
    _show_code(trap)
    seed = whole_number(
        "Seed",
        0,
        999,
        width=160,
        value=0,
        key=_SEED,
        persist_state="session",
        help="Other images, initial weights and order. An effect that stays with every seed is not luck.",
    )
    if seed is not None:
        trial(
            f"learn.traps.{trap.slug}",
            "Run both",
            seed,
            lambda: trap.fall(seed),
            lambda finding: _show_finding(trap, finding),
            "Press the button to run both versions on the built-in digits. It takes a few seconds.",
            guess=trap.to_guess,
        )
    st.markdown(f"**How to notice it.** {linked(trap.notice)}")
    door = DOORS[trap.slug]
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        frame.door(door.page, door.label, door.query)
        if following := _after(trap.slug):
            frame.door("Learn", f"Next pitfall: {following.title}", {"chapter": "traps", TRAP.name: following.slug})


def _chosen() -> str:
    """Show the choice of a pitfall and write it into the URL; return the slug that the URL names, else the first."""
    TRAP.choice(PITFALLS, PITFALL, "This pitfall does not exist: showing the first one.")
    return st.selectbox(
        "Pitfall",
        list(PITFALLS),
        format_func=lambda slug: f"{list(PITFALLS).index(slug) + 1}. {PITFALLS[slug].title}",
        key=PITFALL.name,
        on_change=TRAP.take,
        args=[PITFALL],
    )


def _after(slug: str) -> Pitfall | None:
    slugs = list(PITFALLS)
    rest = slugs[slugs.index(slug) + 1 :]
    return PITFALLS[rest[0]] if rest else None


def _show_code(trap: Pitfall) -> None:
    """Show the wrong and the fixed code; on a phone one below the other."""
    for column, heading, code in zip(st.columns(2), _HEADINGS, trap.code, strict=True):
        with column.container(border=True, height="stretch"):
            st.markdown(f"**{heading}**")
            st.code(code, language="python", wrap_lines=True)


def _show_finding(trap: Pitfall, finding: Finding) -> None:
    """Show the measurements so far; once complete also their explanation and chart."""
    if finding.measured:
        _show_measured(finding.measured)
    if finding.done < 1:
        return
    if finding.raised:
        st.code(finding.raised, language=None, wrap_lines=True)
    st.markdown(f"**What you see.** {trap.symptom}")
    st.markdown(f"**Why.** {linked(trap.why)}")
    if finding.picture:
        _show_picture(trap, finding.picture)
    if finding.table is not None:
        st.dataframe(finding.table, hide_index=True, width="content")


def _show_measured(measured: Sequence[Measured]) -> None:
    st.markdown(" → ".join(_HEADINGS))
    with st.container(horizontal=True):
        for figure in measured:
            st.metric(figure.what, " → ".join(figure.shown), border=True, width="content")


def _show_picture(trap: Pitfall, picture: Picture) -> None:
    titles = (picture.x, picture.y)
    if picture.kind == "lines":
        figure = beside_lines(picture.rows, titles, picture.levels, picture.places, picture.highest, picture.from_zero)
    else:
        figure = beside_points(picture.rows, titles)
    show_figure(
        figure,
        f"trap-{trap.slug}",
        f"{trap.title}: {picture.y} against {picture.x}, with the pitfall and fixed",
        lambda: picture.rows,
        picture.caption,
    )
