"""The form of a sweep: the searched settings, their ranges, and the budget."""

from __future__ import annotations

from typing import Any, get_args

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab.data.datasets import dataset_spec
from cnnlab.jobs.executor import chosen
from cnnlab.jobs.sweep_config import SPACES, SweepConfig, disk_bytes, parse_sweep, typed, with_values
from cnnlab.jobs.trial_pruning import MOST_SIMULATED, epochs_trained
from cnnlab.networks.presets import PRESETS
from cnnlab.quantities import estimate, size
from cnnlab.runs.epoch_times import rough_epoch_seconds
from cnnlab.training.config import MAX_EPOCHS, ConfigError, RunConfig, field_title
from cnnlab.training.titles import value_title
from cnnlab.ui.shell import quotas, session
from cnnlab.ui.shell.frame import counted
from cnnlab.ui.shell.reasons import as_reason
from cnnlab.ui.widgets.bounds import between, is_within
from cnnlab.ui.widgets.config_inputs import without
from cnnlab.ui.widgets.disk_room import warn_of_disk
from cnnlab.ui.widgets.quota_room import tell_quota
from cnnlab.ui.widgets.run_form import run_form

TRIALS, EPOCHS = 10, 4  # at first: under a minute for the default network
_FIRST = ["learning_rate", "batch_size"]
_NUMBERS = {
    "batch_size": [16, 32, 64, 128, 256, 512, 1024],
    "epochs": [1, 2, 5, 10, 20, 40, 80],
    "warmup_epochs": [0, 1, 2, 5, 10],
    "seed": [*range(10)],
}


def sweep_form(top: DeltaGenerator) -> SweepConfig | None:
    """Show ranges and fixed settings; return None, with the reason at the ``top``, where they are inconsistent."""
    searched = st.multiselect(
        "Search", list(SPACES), _FIRST, format_func=field_title, key="sweep.search", persist_state="session"
    )
    space = {name: _values(name) for name in searched}
    epochs, budget = _budget(asks_epochs="epochs" not in space)
    st.markdown("**Fixed settings**")
    with without({*space, "epochs"}):
        base = run_form(top)
    if base is None:
        return None
    try:
        base = with_values(base, {"epochs": epochs})
        asked = parse_sweep({"base": base, "space": space, **budget})
        _estimate(asked, top)
        with top:
            _tell_pruning(asked)
            _tell_disk(asked)
        return asked
    except ConfigError as error:
        top.error(as_reason(error), title="This sweep cannot run")
        return None


def _budget(asks_epochs: bool) -> tuple[int, dict[str, Any]]:
    """Show how long the search may take; return the epochs of a trial, and the sweep's fields."""
    left, middle, right = st.columns(3)
    with left:
        trials = st.number_input("Trials", value=TRIALS, key="sweep.trials", persist_state="session")
        is_within(trials, between(1, 1000))
    epochs = EPOCHS
    if asks_epochs:
        with middle:
            epochs = st.number_input("Epochs each", value=EPOCHS, key="sweep.epochs", persist_state="session")
            is_within(epochs, between(1, MAX_EPOCHS))
    with right:
        minutes = st.number_input(
            "Minutes", value=0, key="sweep.minutes", persist_state="session", help="At most; 0: no limit"
        )
        is_within(minutes, between(0, 10_000))
    pruner = st.selectbox(
        "Stop weak trials early",
        list(get_args(SweepConfig.model_fields["pruner"].annotation)),
        format_func=_pruner,
        key="sweep.pruner",
        persist_state="session",
    )
    return epochs, {"trials": trials, "minutes": minutes or None, "pruner": pruner}


def _estimate(asked: SweepConfig, top: DeltaGenerator) -> None:
    """Say at the ``top`` how long the sweep takes, from the speed of earlier runs."""
    longest = max(typed("epochs", value) for value in asked.space["epochs"].examples) if "epochs" in asked.space else 0
    epochs = longest or asked.base.epochs
    each = rough_epoch_seconds(session.trained_runs(), asked.base, dataset_spec(asked.base.dataset))
    if each is None:
        return
    at_once = min(chosen().queue.slots, asked.trials)
    seconds = min(asked.trials * epochs * each, 60 * (asked.minutes or float("inf"))) / at_once
    many = f", {at_once} at once" if at_once > 1 else ""
    top.caption(
        f":material/timer: {counted(asked.trials, 'trial')} of {counted(epochs, 'epoch')}{many}: "
        f"{estimate(seconds)} at most, judged by your fastest runs."
    )


def _tell_pruning(asked: SweepConfig) -> None:
    """Say what it costs that a trial cannot be compared with those beside it, where several run at once."""
    trials, epochs, at_once = asked.trials, asked.base.epochs, min(chosen().queue.slots, asked.trials)
    if at_once == 1 or asked.pruner == "none" or trials * epochs > MOST_SIMULATED:
        return
    one, many = (1 - epochs_trained(asked.pruner, trials, epochs, slots) / (trials * epochs) for slots in (1, at_once))
    alone = f" ({one:.0%} one after another: more have ended when one is judged)" if one > many + 0.01 else ""
    st.caption(
        f":material/content_cut: Stopping weak trials early saves about {many:.0%} of the epochs with {at_once} at "
        f"once{alone}. Simulated."
    )


def _tell_disk(asked: SweepConfig) -> None:
    """Say what all trials take on disk, and of the person's quotas."""
    more = disk_bytes(asked)
    st.caption(f":material/hard_drive: Up to {size(more)} on disk, for all trials.")
    warn_of_disk(more)
    tell_quota(lambda: quotas.sweep_needs(asked))


def _values(name: str) -> dict[str, Any]:
    """Show the fields for the range of one setting."""
    offered = SPACES[name].model_dump()
    if "options" in offered:
        given = st.multiselect(
            field_title(name),
            _options(name),
            list(offered["options"]),
            format_func=lambda value: _shown(name, value),
            accept_new_options=name in _NUMBERS,
            key=f"sweep.{name}",
            persist_state="session",
        )
        return {"options": [_number(value) if name in _NUMBERS else value for value in given]}
    ends = [
        place.number_input(
            f"{field_title(name)}, {end}",
            value=value,
            format="%.4g",
            key=f"sweep.{name}.{end}",
            persist_state="session",
        )
        for place, end, value in zip(st.columns(2), ("from", "to"), (offered["low"], offered["high"]), strict=True)
    ]
    return {"low": ends[0], "high": ends[1], "log": offered["log"]}


def _options(name: str) -> list[Any]:
    if name in _NUMBERS:
        return _NUMBERS[name]
    if name == "architecture":
        return list(PRESETS)
    return list(get_args(RunConfig.model_fields[name].annotation)) or [True, False]


def _shown(name: str, value: Any) -> str:
    return PRESETS[value].title if name == "architecture" and value in PRESETS else value_title(str(value))


def _number(value: Any) -> Any:
    """Convert the input to a number where it is one; the sweep's validation reports anything else."""
    text = str(value)
    return int(text) if text.isdigit() else text


def _pruner(name: str) -> str:
    return {
        "median": "worse than the median of the others",
        "halving": "not among the best (successive halving)",
        "none": "never",
    }[name]
