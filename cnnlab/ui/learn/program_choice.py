"""The choice of the training to write as a program: a recipe, a design or a run; epochs and seed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st
from pydantic import ValidationError

from cnnlab.data.datasets import DATASETS
from cnnlab.export.program.data_step import PROGRAMMED
from cnnlab.networks.architecture import Architecture
from cnnlab.runs.run import Run
from cnnlab.training.config import ConfigError, RunConfig
from cnnlab.training.config_link import from_query
from cnnlab.training.recipes import DEFAULT, RECIPES
from cnnlab.ui.shell import address, frame, session
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.shell.session import shelf
from cnnlab.ui.shell.state import PROGRAM_TRAINING, own_design, program_field
from cnnlab.ui.widgets.bounds import whole_number

TUTORIALS = [name for name, recipe in RECIPES.items() if recipe.claim]
MAX_SEED = 2**32 - 1
MOST_RUNS = 20  # the newest runs, at most

_NAMED, _SET = ("recipe", "design"), ("dataset", "epochs", "seed")  # URL parameters
_PLACE = "learn.program"  # key of this form among those that links fill in


@dataclass(frozen=True)
class Choice:
    """A training, and its run if it was one."""

    label: str
    config: RunConfig
    run: Run | None = None


def choose() -> Choice | None:
    """Choose a run as it is, or a recipe or design with data set, epochs and seed; None where the seed is wrong."""
    _take_address()
    offered = _offered()
    if PROGRAM_TRAINING.get() not in offered:
        PROGRAM_TRAINING.put(f"recipe {TUTORIALS[0]}")
    labels = frame.distinct_labels({key: choice.label for key, choice in offered.items()})
    chosen = st.selectbox(
        "Training",
        list(offered),
        format_func=labels.__getitem__,
        key=PROGRAM_TRAINING.name,
        on_change=put_into_address,
        persist_state="session",
    )
    if not any(key.startswith("design ") for key in offered):
        frame.door("Design", "Designs saved on Design appear here", {})
    choice = offered[chosen]
    if choice.run:
        return choice
    config = _budgeted(choice.config, chosen)
    return replace(choice, config=config) if config else None


def _budgeted(config: RunConfig, chosen: str) -> RunConfig | None:
    _fill(chosen, config, is_new=False)
    data, budget, seed = st.columns([2, 2, 1])
    with data:
        dataset = st.selectbox(
            "Data set",
            PROGRAMMED,
            format_func=lambda name: DATASETS[name].title,
            key=program_field("dataset", chosen).name,
            on_change=put_into_address,
            persist_state="session",
        )
    with budget:
        epochs = st.segmented_control(
            "Epochs",
            sorted({1, config.epochs, program_field("epochs", chosen).get()}),
            required=True,
            format_func=lambda number: "One epoch" if number == 1 else frame.counted(number, "epoch"),
            key=program_field("epochs", chosen).name,
            on_change=put_into_address,
            persist_state="session",
        )
    with seed:
        number = whole_number(
            "Seed",
            0,
            MAX_SEED,
            key=program_field("seed", chosen).name,
            on_change=put_into_address,
            persist_state="session",
        )
    if number is None:
        return None
    return config.model_copy(update={"dataset": dataset, "epochs": epochs, "seed": number})


def _fill(chosen: str, config: RunConfig, *, is_new: bool) -> None:
    """Put a config's values into the form, or only into fields that have none yet."""
    dataset = config.dataset if config.dataset in PROGRAMMED else PROGRAMMED[0]
    for name, value in {"dataset": dataset, "epochs": config.epochs, "seed": config.seed}.items():
        field = program_field(name, chosen)
        if is_new or not field.is_set:
            field.put(value)


def _offered() -> dict[str, Choice]:
    """List the choices by key, the tutorials first."""
    others = [name for name, recipe in RECIPES.items() if name not in TUTORIALS and not recipe.config.start]
    recipes = [*TUTORIALS, *others]
    return {
        **{f"recipe {name}": Choice(_recipe_label(name), RECIPES[name].config) for name in recipes},
        **_designs(),
        **{
            f"run {entry.id}": Choice(f"Run: {entry.label}", entry.config, entry.run)
            for entry in session.trained_runs()[:MOST_RUNS]
            if not (entry.config.parent or entry.config.start)
        },
    }


def _recipe_label(name: str) -> str:
    return f"{'Tutorial' if name in TUTORIALS else 'Recipe'}: {RECIPES[name].title}"


def _designs() -> dict[str, Choice]:
    """List the session's design, where it can be trained, and the saved ones, with the default recipe's settings."""
    networks = {f"design {name}": (f"Design: {network.title}", network) for name, network in shelf().networks().items()}
    design = own_design()
    if design is not None:
        try:
            own = Architecture.model_validate(design.model_dump())
        except ValidationError:
            pass  # a draft that cannot be trained yet; Design shows why
        else:
            networks = {"board": (f"On Design now: {own.title}", own)} | networks
    return {
        key: Choice(label, RECIPES[DEFAULT].config.model_copy(update={"architecture": network}))
        for key, (label, network) in networks.items()
    }


def _take_address() -> None:
    """Apply a link's choice, once for each visit of the page or training; afterwards the reader chooses.

    What the link omits is the recipe's. A change of epochs or seed alone does not count as another link: a rerun
    started before the change still has the old values in its URL.
    """
    asked = {name: value for name, value in address.query().items() if name in (*_NAMED, *_SET)}
    kind = next((kind for kind in _NAMED if kind in asked), "")
    link = f"{kind} {asked[kind]}" if kind else ""
    if not address.is_new(_PLACE, link) or not kind:
        return
    try:
        config = from_query({name: value for name, value in asked.items() if name != "design"})
    except ConfigError as error:
        st.toast(f"This link has a setting that does not exist. {as_reason(error)}", icon=":material/link_off:")
        return
    PROGRAM_TRAINING.put(link)
    _fill(link, config, is_new=True)


def put_into_address() -> None:
    """Write the choice into the URL, for reloads and links."""
    chosen = PROGRAM_TRAINING.get()
    kind, _, named = chosen.partition(" ")
    others = {name: value for name, value in address.query().items() if name not in (*_NAMED, *_SET)}
    form = {name: program_field(name, chosen).get() for name in _SET}
    if not 0 <= (form["seed"] or 0) <= MAX_SEED:
        return
    asked = {kind: named} | {name: str(value) for name, value in form.items() if value is not None}
    address.put_query(others | (asked if kind in _NAMED else {}))
    address.note(_PLACE, chosen if kind in _NAMED else "")
