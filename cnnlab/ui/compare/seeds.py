"""More seeds of the chosen runs' settings: what a comparison of settings needs, and the button that trains them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count, islice

import streamlit as st

from cnnlab.data.datasets import dataset_spec
from cnnlab.errors import CnnLabError
from cnnlab.evaluation.luck import SEEDS
from cnnlab.quantities import estimate
from cnnlab.runs.entry import Entry
from cnnlab.runs.epoch_times import rough_epoch_seconds
from cnnlab.runs.seeds import one_per_seed, seed_of
from cnnlab.training.config import RunConfig
from cnnlab.ui.shell import flash, poll, session
from cnnlab.ui.shell.frame import counted

UPDATE_SECONDS = 2.0
_PLACE = "compare.seeds"  # where a refusal is shown


def offer_seeds(named: Mapping[str, Entry], everything: Sequence[Entry]) -> None:
    """Offer to train each of the settings until it has SEEDS of them; show those that are being trained."""
    wanted = [config for entry in _one_per_settings(named) for config in _missing(entry, everything)]
    training = [config for config in wanted if any(job.config == config for job in session.trainings())]
    if training:
        left = len(training)
        poll.until_over(lambda: _training(training) == left, UPDATE_SECONDS, _tell, left)
    elif wanted:
        seconds = _seconds(wanted, everything)
        st.button(
            f"Train {counted(len(wanted), 'more seed')}" + (f", {estimate(seconds)}" if seconds else ""),
            icon=":material/casino:",
            on_click=_train,
            args=[wanted],
            help=f"Until each of these settings has {SEEDS} seeds. They are ordinary runs.",
        )
    flash.tell(_PLACE)


def _one_per_settings(named: Mapping[str, Entry]) -> list[Entry]:
    return list({entry.unseeded: entry for entry in named.values()}.values())


def _missing(entry: Entry, everything: Sequence[Entry]) -> list[RunConfig]:
    """Return the configs of the seeds that the settings lack; none where no config alone trains such a run again."""
    summary = entry.summary
    is_plain = entry.status == "finished" and not (summary.extensions or summary.rates_set)
    if not is_plain or not entry.run.history().was_trained:
        return []
    here = {seed_of(other) for other in one_per_seed(entry, everything)}
    others = (seed for seed in count() if seed not in here)
    return [entry.config.model_copy(update={"seed": seed}) for seed in islice(others, max(0, SEEDS - len(here)))]


def _seconds(wanted: Sequence[RunConfig], everything: Sequence[Entry]) -> float:
    """Estimate how long all take together, one after another; 0 where no run tells a speed."""
    each = [rough_epoch_seconds(everything, config, dataset_spec(config.dataset)) for config in wanted]
    return sum(config.epochs * (seconds or 0.0) for config, seconds in zip(wanted, each, strict=True))


def _train(wanted: Sequence[RunConfig]) -> None:
    try:
        for config in wanted:
            session.add(config)
    except CnnLabError as error:
        flash.say(_PLACE, str(error), "error")


def _training(wanted: Sequence[RunConfig]) -> int:
    return sum(job.config in wanted for job in session.trainings())


def _tell(left: int) -> None:
    st.caption(f":material/hourglass: {counted(left, 'more seed')} in training or in the queue.")
