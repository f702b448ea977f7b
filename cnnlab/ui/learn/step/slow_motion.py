"""One training step of a tiny network, stage by stage."""

from __future__ import annotations

from math import isfinite

import streamlit as st

from cnnlab.charts.slow_motion import loss_by_step
from cnnlab.learn.optimisers import OPTIMISERS
from cnnlab.learn.training_step import Step, walk
from cnnlab.ui.learn.step import stages
from cnnlab.ui.shell.state import STEP_STAGE, STEPS_TAKEN
from cnnlab.ui.widgets.number_grid import show_grid

MOST_STEPS = 20
RATES = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0]
_KEY = "learn.step"
_STAGES = {"Forward": stages.forward, "Loss": stages.loss, "Backward": stages.backward, "Update": stages.update}
_NAMES = list(_STAGES)


def show() -> None:
    """Show settings, the stages of the chosen step, the loss from step to step."""
    stages, settings = st.container(), st.container()
    with settings:
        st.markdown(
            "Eight digits go through `Conv2d(1, 4, 3)`, `ReLU`, `MaxPool2d(2)`, `Flatten` and `Linear(676, 10)`. Go "
            "through the four stages of a step, then take another step on the same batch."
        )
        optimiser, rate = _settings()
    step, losses = _walked(optimiser, rate, STEPS_TAKEN.get())
    taken = len(losses) - 1
    with stages:
        stage = _navigation(taken)
        st.header(f"Step {taken}: {stage.lower()}", anchor=False)
        _STAGES[stage](step)
    _losses(losses if stage == _NAMES[-1] else losses[:-1])


def _settings() -> tuple[str, float]:
    """Choose the optimiser and its learning rate."""
    left, right = st.columns(2)
    with left:
        optimiser = st.segmented_control(
            "Optimiser",
            list(OPTIMISERS),
            default="SGD",
            required=True,
            key=f"{_KEY}.optimiser",
            persist_state="session",
        )
    rate = right.select_slider(
        "Learning rate", RATES, 0.1, key=f"{_KEY}.rate", format_func="{:g}".format, persist_state="session"
    )
    return optimiser, rate


@st.cache_data(show_spinner=False, max_entries=32)
def _walked(optimiser: str, rate: float, steps: int) -> tuple[Step, list[float]]:
    """Run the steps; return the last one, and the batch's loss before the first and after each."""
    taken = walk(optimiser, rate, steps)
    return taken[-1], [taken[0].loss, *(step.loss_after for step in taken)]


def _navigation(taken: int) -> str:
    """Choose the stage, directly or with two buttons."""
    stage = STEP_STAGE.get()
    last = stage == _NAMES[-1]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            "Stage", _NAMES, default=_NAMES[0], required=True, key=STEP_STAGE.name, persist_state="session"
        )
        st.button(
            "Back",
            key=f"{_KEY}.back",
            icon=":material/arrow_back:",
            on_click=_turn,
            args=[stage, taken, -1],
            disabled=taken == 1 and stage == _NAMES[0],
        )
        st.button(
            "Another step" if last else f"Next: {_NAMES[_NAMES.index(stage) + 1].lower()}",
            key=f"{_KEY}.next",
            type="primary",
            icon=":material/arrow_forward:",
            on_click=_turn,
            args=[stage, taken, +1],
            disabled=last and taken == MOST_STEPS,
        )
        st.button("Reset", key=f"{_KEY}.reset", on_click=_turn, args=[_NAMES[0], 1, 0])
    return stage


def _turn(stage: str, taken: int, by: int) -> None:
    """Go to the next or previous stage, of the next or previous step at the ends."""
    place = (taken - 1) * len(_NAMES) + _NAMES.index(stage) + by
    STEPS_TAKEN.put(place // len(_NAMES) + 1)
    STEP_STAGE.put(_NAMES[place % len(_NAMES)])


def _losses(losses: list[float]) -> None:
    """Show the loss of each step, and what to do where it is not finite."""
    st.markdown("**Loss of the batch** before the first step and after each")
    show_grid(loss_by_step(losses), f"{_KEY}.losses", "The loss of the batch from step to step")
    if not isfinite(losses[-1]):
        st.warning("The loss has exploded. Choose a lower learning rate, then press Reset.", title="Diverged")
    elif losses[-1] > losses[0]:
        st.caption(":material/trending_up: Higher than at the start: the steps are too large.")
