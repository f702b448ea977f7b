"""Which training the chapter writes as a program: a recipe, a design or a run; how many epochs, which seed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st
from pydantic import ValidationError

from cnnlab.architectures import Architecture
from cnnlab.config import RunConfig
from cnnlab.data import DATASETS
from cnnlab.program.data_step import PROGRAMMED
from cnnlab.recipes import RECIPES
from cnnlab.runs import Run
from cnnlab.ui import frame, session
from cnnlab.ui.design import board
from cnnlab.ui.design.keeping import shelf
from cnnlab.ui.forms import run_label

TUTORIALS = [name for name, recipe in RECIPES.items() if recipe.claim]
MOST_RUNS = 20  # offered, the newest

_ASKED = "recipe"  # the URL's parameter
_CHOSEN, _TAKEN = "learn.program.training", "learn.program.taken"
_SHORT, _FULL = "One epoch", "As in the recipe"


@dataclass(frozen=True)
class Choice:
    """A training, and the run that it was, where it is one."""

    label: str
    config: RunConfig
    run: Run | None = None


def choose() -> Choice:
    """A run as it is, or a recipe or design with the data set, the epochs and the seed that are asked for."""
    _take_address()
    offered = _offered()
    if st.session_state.get(_CHOSEN) not in offered:
        st.session_state[_CHOSEN] = f"recipe {TUTORIALS[0]}"
    labels = frame.told_apart({key: choice.label for key, choice in offered.items()})
    chosen = st.selectbox(
        "Training",
        list(offered),
        format_func=labels.__getitem__,
        key=_CHOSEN,
        on_change=_put_into_address,
        persist_state="session",
    )
    choice = offered[chosen]
    return choice if choice.run else replace(choice, config=_budgeted(choice.config, chosen))


def _budgeted(config: RunConfig, chosen: str) -> RunConfig:
    data, budget, seed = st.columns([2, 2, 1])
    with data:
        dataset = st.selectbox(
            "Data set",
            PROGRAMMED,
            index=PROGRAMMED.index(config.dataset) if config.dataset in PROGRAMMED else 0,
            format_func=lambda name: DATASETS[name].title,
            key=f"learn.program.dataset.{chosen}",
            persist_state="session",
        )
    with budget:
        length = st.segmented_control(
            "Budget",
            [_SHORT, _FULL],
            default=_FULL,
            required=True,
            format_func=lambda option: option if option == _SHORT else frame.counted(config.epochs, "epoch"),
            key=f"learn.program.budget.{chosen}",
            persist_state="session",
        )
    with seed:
        number = st.number_input("Seed", 0, 2**32 - 1, config.seed, key="learn.program.seed", persist_state="session")
    epochs = 1 if length == _SHORT else config.epochs
    return config.model_copy(update={"dataset": dataset, "epochs": epochs, "seed": number})


def _offered() -> dict[str, Choice]:
    """By key, the tutorials first."""
    recipes = [*TUTORIALS, *(name for name in RECIPES if name not in TUTORIALS)]
    return {
        **{f"recipe {name}": Choice(_recipe_label(name), RECIPES[name].config) for name in recipes},
        **_designs(),
        **{
            f"run {entry.id}": Choice(f"Run: {run_label(entry)}", entry.config, entry.run)
            for entry in session.trained_runs()[:MOST_RUNS]
            if not entry.config.parent
        },
    }


def _recipe_label(name: str) -> str:
    return f"{'Tutorial' if name in TUTORIALS else 'Recipe'}: {RECIPES[name].title}"


def _designs() -> dict[str, Choice]:
    """This session's design, where it can be trained, and the saved ones, each with the default's settings."""
    networks = {f"design {name}": (f"Design: {network.title}", network) for name, network in shelf().networks().items()}
    if board.is_begun():
        try:
            own = Architecture.model_validate(board.draft().model_dump())
        except ValidationError:
            pass  # a draft that cannot be trained yet: Design tells why
        else:
            networks = {"board": (f"On Design now: {own.title}", own)} | networks
    return {
        key: Choice(label, RunConfig().model_copy(update={"architecture": network}))
        for key, (label, network) in networks.items()
    }


def _take_address() -> None:
    """A link's recipe, once: afterwards the reader chooses."""
    asked = st.query_params.get(_ASKED)
    if asked != st.session_state.get(_TAKEN) and asked in RECIPES:
        st.session_state[_CHOSEN] = f"recipe {asked}"
    st.session_state[_TAKEN] = asked


def _put_into_address() -> None:
    kind, _, name = st.session_state[_CHOSEN].partition(" ")
    if kind == "recipe":
        st.query_params[_ASKED] = name
    else:
        st.query_params.pop(_ASKED, None)
    st.session_state[_TAKEN] = st.query_params.get(_ASKED)
